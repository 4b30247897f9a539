import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { StatusError, isConflict, isNotFound } from '@orrery/apimachinery';
import type { Namespace, NamespaceCondition, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { StatusWriter, defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { discoverResources } from '../../discovery/discover-resources.js';
import { withCondition } from '../../pods/conditions.js';

const FINALIZER = 'kubernetes';
const RECHECK_MS = 500;

/** What is left of one resource in a namespace. */
interface Remainder {
  readonly ref: ResourceRef;
  readonly count: number;
  readonly finalizers: readonly string[];
}

/** Pure: the conditions that say why a namespace is still there. */
export function deletionConditions(
  before: readonly NamespaceCondition[],
  remainders: readonly Remainder[],
  failed: readonly string[],
  now: number,
): NamespaceCondition[] {
  const left = remainders.filter(({ count }) => count > 0);
  const held = new Map<string, number>();
  for (const { finalizers } of left)
    for (const name of finalizers) held.set(name, (held.get(name) ?? 0) + 1);
  const content = left
    .map(({ ref, count }) => `${ref.plural}.${ref.group} has ${count} resource instances`)
    .join(', ');
  const finalizers = [...held].map(([name, n]) => `${name} in ${n} resource instances`).join(', ');
  const facts: readonly (readonly [string, boolean, string, string, string])[] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      failed.length > 0,
      failed.length > 0 ? 'DiscoveryFailed' : 'ResourcesDiscovered',
      `Discovery failed for some groups, ${failed.length} failing: ${failed.join(', ')}`,
      'All resources successfully discovered',
    ],
    [
      'NamespaceContentRemaining',
      left.length > 0,
      left.length > 0 ? 'SomeResourcesRemain' : 'ContentRemoved',
      `Some resources are remaining: ${content}`,
      'All content successfully removed',
    ],
    [
      'NamespaceFinalizersRemaining',
      held.size > 0,
      held.size > 0 ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
      `Some content in the namespace has finalizers remaining: ${finalizers}`,
      'All content-preserving finalizers finished',
    ],
  ];
  return facts.reduce(
    (conditions, [type, bad, reason, yes, no]) =>
      withCondition(conditions, {
        type,
        status: bad ? 'True' : 'False',
        reason,
        message: bad ? yes : no,
        lastTransitionTime: toTime(now),
      }),
    [...before],
  );
}

/** Empties a namespace that is being deleted, then lets it go. */
export class NamespaceReconciler implements Reconciler {
  readonly #status: StatusWriter<NonNullable<Namespace['status']>, Namespace>;

  constructor(
    private readonly namespaces: Lister<Namespace>,
    private readonly client: KubeClient,
    private readonly clock: Clock,
  ) {
    this.#status = new StatusWriter(client.resource(resources.namespaces));
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const namespace = this.namespaces.get(key);
    if (!namespace?.metadata.deletionTimestamp) return done;
    const held = namespace.spec?.finalizers ?? [];
    if (!held.includes(FINALIZER)) return done;
    const { refs, failed } = await discoverResources(this.client);
    const namespaced = refs.filter((ref) => ref.namespaced);
    const remainders = await Promise.all(namespaced.map((ref) => this.#empty(ref, key.name)));
    if (failed.length === 0 && remainders.every(({ count }) => count === 0)) {
      await this.#finalize(namespace, held);
      return done;
    }
    const now = this.clock.now();
    const before = namespace.status?.conditions ?? [];
    await this.#status.writeIfChanged(namespace, {
      ...namespace.status,
      phase: 'Terminating',
      conditions: deletionConditions(before, remainders, failed, now),
    });
    return { requeueAfterMs: RECHECK_MS };
  }

  /** Asks for all objects of one resource to be deleted and counts those that are left. */
  async #empty(ref: ResourceRef, namespace: string): Promise<Remainder> {
    const client = this.client.resource<KubeObject>(ref);
    try {
      const before = await client.list({ namespace, limit: 1 });
      if (before.items.length === 0) return { ref, count: 0, finalizers: [] };
      await client.deleteCollection({ namespace });
      const { items } = await client.list({ namespace, pageSize: 500 });
      const finalizers = items.flatMap(({ metadata }) => metadata.finalizers ?? []);
      return { ref, count: items.length, finalizers };
    } catch (error) {
      // The resource itself is gone, or cannot be deleted so.
      if (isNotFound(error) || (error instanceof StatusError && error.code === 405))
        return { ref, count: 0, finalizers: [] };
      if (isConflict(error)) return { ref, count: 1, finalizers: [] };
      throw error;
    }
  }

  async #finalize(namespace: Namespace, held: readonly string[]): Promise<void> {
    const finalizers = held.filter((name) => name !== FINALIZER);
    const finalized = { ...namespace, spec: { ...namespace.spec, finalizers } };
    try {
      await this.client.resource(resources.namespaces).updateSubresource(finalized, 'finalize');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

export const namespaceController: ControllerEntry = {
  name: 'namespace-controller',
  definition: () =>
    defineController('namespace-controller')
      .concurrency(10)
      .for(resources.namespaces, {
        changed: (namespace) => namespace.metadata.deletionTimestamp !== undefined,
      })
      .build(),
  create: ({ client, informers, clock }) =>
    new NamespaceReconciler(informers.informer(resources.namespaces).lister, client, clock),
};
