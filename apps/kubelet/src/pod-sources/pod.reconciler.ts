import type { ObjectKey } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import { defineController, done } from '@orrery/controller';
import type { ControllerDefinition, Reconciler, Result } from '@orrery/controller';
import type { Kubelet } from '../kubelet.js';

export const POD_CONTROLLER = 'kubelet-pods';
export const POD_RECONCILER = Symbol('PodReconciler');

/** The pods bound to this node. */
export function podDefinition(kubelet: Pick<Kubelet, 'podScope'>): ControllerDefinition {
  return defineController(POD_CONTROLLER).for(resources.pods, { scope: kubelet.podScope }).build();
}

/** Hands the newest state of one pod to its worker, which does the rest in its own time. */
export class PodReconciler implements Reconciler {
  constructor(private readonly kubelet: Pick<Kubelet, 'sync' | 'informers' | 'podScope'>) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const { informers, sync, podScope } = this.kubelet;
    await sync.onApiPod(key, informers.informer(resources.pods, podScope).lister.get(key));
    return done;
  }
}
