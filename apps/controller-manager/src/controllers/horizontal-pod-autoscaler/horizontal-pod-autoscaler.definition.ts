import { isDeepStrictEqual } from 'node:util';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '@orrery/api';
import { resources } from '@orrery/api';
import { StatusWriter, defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { KindMapper } from '../../discovery/kind-mapper.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { AutoscalerMemory } from './autoscaler-memory.js';
import { createAutoscalerMeters } from './horizontal-pod-autoscaler.metrics.js';
import { HorizontalPodAutoscalerReconciler } from './horizontal-pod-autoscaler.reconciler.js';
import { MetricProposals } from './metric-proposals.js';
import { MetricsClient } from './metrics-client.js';
import { ScaleTargets } from './scale-target.js';

const NAME = 'horizontal-pod-autoscaler-controller';

export const horizontalPodAutoscalerController: ControllerEntry = {
  name: NAME,
  definition: () =>
    defineController(NAME)
      .concurrency(5)
      .for(resources.horizontalpodautoscalers, {
        changed: (hpa, old) => !isDeepStrictEqual(hpa.spec, old.spec),
      })
      .build(),
  create({ client, informers, events, clock, options, metrics }) {
    const kinds = new KindMapper(client, clock);
    const autoscalers = client.resource(resources.horizontalpodautoscalers);
    return new HorizontalPodAutoscalerReconciler(
      {
        autoscalers: informers.informer(resources.horizontalpodautoscalers).lister,
        pods: podInformer(informers).lister,
      },
      {
        scales: new ScaleTargets(client, kinds),
        proposals: new MetricProposals(new MetricsClient(client, kinds)),
        memory: new AutoscalerMemory(),
        status: new StatusWriter<HorizontalPodAutoscalerStatus, HorizontalPodAutoscaler>(
          autoscalers,
        ),
        events: events('horizontal-pod-autoscaler'),
        clock,
        meters: createAutoscalerMeters(metrics),
      },
      options.horizontalPodAutoscaler,
    );
  },
};
