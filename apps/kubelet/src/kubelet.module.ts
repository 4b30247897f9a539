import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { reconcilerController } from '@orrery/controller';
import type { Kubelet } from './kubelet.js';
import { NODE_CONTROLLER, NODE_RECONCILER, NodeReconciler } from './node/node.reconciler.js';
import { POD_CONTROLLER, POD_RECONCILER, PodReconciler } from './pod-sources/pod.reconciler.js';
import { KUBELET_AUTH } from './server/auth.guard.js';
import type { KubeletAuth } from './server/kubelet-auth.js';
import { KUBELET, KubeletController } from './server/kubelet.controller.js';
import { LogsController } from './server/logs.controller.js';
import { MetricsController } from './server/metrics.controller.js';
import { SystemLogsController } from './server/system-logs/system-logs.controller.js';

/** One kubelet: its watches as Nest message handlers, its server as Nest routes. */
@Module({})
export class KubeletModule {
  static with(kubelet: Kubelet, auth: KubeletAuth): DynamicModule {
    return {
      module: KubeletModule,
      controllers: [
        reconcilerController(POD_CONTROLLER, POD_RECONCILER),
        reconcilerController(NODE_CONTROLLER, NODE_RECONCILER),
        KubeletController,
        LogsController,
        MetricsController,
        SystemLogsController,
      ],
      providers: [
        { provide: KUBELET, useValue: kubelet },
        { provide: KUBELET_AUTH, useValue: auth },
        { provide: POD_RECONCILER, useValue: new PodReconciler(kubelet) },
        { provide: NODE_RECONCILER, useValue: new NodeReconciler(kubelet) },
      ],
    };
  }
}
