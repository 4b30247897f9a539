import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound, keyOf, toKeyString } from '@orrery/apimachinery';
import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_NODE } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { departureOf } from './taint-eviction.decide.js';
import { createTaintEvictionMeters } from './taint-eviction.metrics.js';
import type { PodDeleted } from './taint-eviction.metrics.js';

export interface TaintEvictionCaches {
  readonly pods: Lister<Pod>;
  readonly nodes: Lister<Node>;
}

/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer do. */
export class TaintEvictionReconciler implements Reconciler {
  /** Since when the pod of a key has been under taints, as far as this process knows. */
  readonly #seen = new Map<string, { readonly uid: string; readonly at: number }>();

  constructor(
    private readonly caches: TaintEvictionCaches,
    private readonly client: ResourceClient<Pod>,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
    private readonly deleted: PodDeleted,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const { pods, nodes } = this.caches;
    const pod = pods.get(key);
    const node = pod?.spec?.nodeName ? nodes.get({ name: pod.spec.nodeName }) : undefined;
    const now = this.clock.now();
    const departure =
      pod && node && !pod.metadata.deletionTimestamp
        ? departureOf(pod, node.spec?.taints ?? [], now, this.#seenAt(key, pod, now))
        : 'never';
    if (!pod || departure === 'never') {
      this.#seen.delete(toKeyString(key));
      return done;
    }
    if (departure > now) return { requeueAfterMs: departure - now };
    await this.#evict(key, pod);
    this.deleted(Math.max(0, this.clock.now() - departure) / 1000);
    return done;
  }

  #seenAt(key: ObjectKey, { metadata: { uid = '' } }: Pod, now: number): number {
    const name = toKeyString(key);
    const known = this.#seen.get(name);
    if (known?.uid === uid) return known.at;
    this.#seen.set(name, { uid, at: now });
    return now;
  }

  async #evict(key: ObjectKey, pod: Pod): Promise<void> {
    const { namespace = '', name, uid } = { ...pod.metadata, name: key.name };
    const text = `Marking for deletion Pod ${namespace}/${name}`;
    this.events.event(pod, 'Normal', 'TaintManagerEviction', text);
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: toTime(this.clock.now()),
    };
    try {
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await this.client.patch(key, 'strategic', patch, { subresource: 'status' });
      await this.client.delete(key, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

export const taintEvictionController: ControllerEntry = {
  name: 'taint-eviction-controller',
  definition({ informers }) {
    const pods = podInformer(informers).lister;
    const podsOn = (node: Node): ObjectKey[] =>
      pods
        .byIndex(BY_NODE, node.metadata.name ?? '')
        .map(({ metadata: { namespace = '', name = '' } }) => ({ namespace, name }));
    const noExecute = (node: Node): string =>
      JSON.stringify((node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute'));
    const nodes = informers.informer(resources.nodes).lister;
    // A taint that comes later brings the pods of its node here.
    const toKeyOnTaintedNode = (pod: Pod): ObjectKey[] => {
      const name = pod.spec?.nodeName;
      const node = name ? nodes.get({ name }) : undefined;
      return node?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') ? [keyOf(pod)] : [];
    };
    return defineController('taint-eviction-controller')
      .concurrency(8)
      .watches(resources.pods, toKeyOnTaintedNode, {
        changed: (pod, old) =>
          pod.spec?.nodeName !== old.spec?.nodeName ||
          !isDeepStrictEqual(pod.spec?.tolerations, old.spec?.tolerations),
      })
      .watches(resources.nodes, podsOn, {
        changed: (node, old) => noExecute(node) !== noExecute(old),
      })
      .build();
  },
  create: ({ client, informers, events, clock, metrics }) =>
    new TaintEvictionReconciler(
      {
        pods: podInformer(informers).lister,
        nodes: informers.informer(resources.nodes).lister,
      },
      client.resource(resources.pods),
      events('taint-eviction-controller'),
      clock,
      createTaintEvictionMeters(metrics),
    ),
};
