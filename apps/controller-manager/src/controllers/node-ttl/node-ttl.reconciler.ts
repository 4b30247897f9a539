import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';

const NAME = 'ttl-controller';
export const TTL = 'node.alpha.kubernetes.io/ttl';

/** Steps that overlap, so that a cluster at a border does not go to and fro (k8s pkg/controller/ttl: ttlBoundaries). */
const STEPS: readonly (readonly [least: number, most: number, seconds: number])[] = [
  [0, 100, 0],
  [90, 500, 15],
  [450, 1000, 30],
  [900, 2000, 60],
  [1800, Number.POSITIVE_INFINITY, 300],
];

/** Pure: for how long kubelets of so many nodes may keep what they read; `before` is what they have been told. */
export function ttlSeconds(nodes: number, before: number | undefined): number {
  const fits = STEPS.filter(([least, most]) => nodes >= least && nodes <= most);
  const kept = fits.find(([, , seconds]) => seconds === before);
  return (kept ?? fits[0])?.[2] ?? 0;
}

/** Tells kubelets for how long they may keep Secrets and ConfigMaps. */
export class NodeTtlReconciler implements Reconciler {
  constructor(
    private readonly nodes: Lister<Node>,
    private readonly client: ResourceClient<Node>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const node = this.nodes.get(key);
    if (!node) return done;
    const told = node.metadata.annotations?.[TTL];
    const seconds = ttlSeconds(
      this.nodes.list().length,
      told === undefined ? undefined : Number(told),
    );
    if (told === String(seconds)) return done;
    const body = { metadata: { annotations: { [TTL]: String(seconds) } } };
    try {
      await this.client.patch(key, 'strategic', body);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

export const nodeTtlController: ControllerEntry = {
  name: NAME,
  definition: () => defineController(NAME).for(resources.nodes).build(),
  create: ({ client, informers }) =>
    new NodeTtlReconciler(
      informers.informer(resources.nodes).lister,
      client.resource(resources.nodes),
    ),
};
