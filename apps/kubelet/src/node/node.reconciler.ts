import type { ObjectKey } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import { defineController, done } from '@orrery/controller';
import type { ControllerDefinition, Reconciler, Result } from '@orrery/controller';
import type { Kubelet } from '../kubelet.js';

export const NODE_CONTROLLER = 'kubelet-node';
export const NODE_RECONCILER = Symbol('NodeReconciler');

/** This kubelet's own node object. */
export function nodeDefinition(kubelet: Pick<Kubelet, 'nodeScope'>): ControllerDefinition {
  return defineController(NODE_CONTROLLER)
    .for(resources.nodes, { scope: kubelet.nodeScope })
    .build();
}

/** Tells the node agent of its node; a deleted node is registered again. */
export class NodeReconciler implements Reconciler {
  constructor(private readonly kubelet: Pick<Kubelet, 'node' | 'informers' | 'nodeScope'>) {}

  reconcile(key: ObjectKey): Promise<Result> {
    const { informers, node, nodeScope } = this.kubelet;
    node.observe(informers.informer(resources.nodes, nodeScope).lister.get(key));
    return Promise.resolve(done);
  }
}
