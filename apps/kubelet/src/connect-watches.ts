import type { INestApplication } from '@nestjs/common';
import type { Clock } from '@orrery/component';
import { ReconcileErrorFilter, WatchTransport, WriteFence, leadAlways } from '@orrery/controller';
import type { Kubelet } from './kubelet.js';
import { nodeDefinition } from './node/node.reconciler.js';
import { podDefinition } from './pod-sources/pod.reconciler.js';

/** The kubelet's watches of its node and its pods become messages of the application. */
export function connectWatches(nest: INestApplication, kubelet: Kubelet, clock: Clock): void {
  const transport = new WatchTransport({
    informers: kubelet.informers,
    fence: new WriteFence(clock),
    clock,
    logger: kubelet.logger,
    definitions: [podDefinition(kubelet), nodeDefinition(kubelet)],
    whileLeading: leadAlways,
  });
  nest
    .connectMicroservice({ strategy: transport }, { inheritAppConfig: false })
    .useGlobalFilters(new ReconcileErrorFilter());
}
