import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { StatusError, isConflict, isFenced, isNotFound } from '@orrery/apimachinery';
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
  /** Why it could not be emptied. */
  readonly failure?: Error;
}

/** A condition: whether it is bad, and what is said of either. */
interface Fact {
  readonly type: string;
  readonly bad: string | undefined;
  readonly reasons: readonly [bad: string, good: string];
  readonly good: string;
}

function factsOf(remainders: readonly Remainder[], failed: readonly string[]): readonly Fact[] {
  const held = new Map<string, number>();
  for (const { finalizers } of remainders)
    for (const name of finalizers) held.set(name, (held.get(name) ?? 0) + 1);
  const failures = remainders.flatMap(({ failure }) => (failure ? [failure.message] : []));
  const content = remainders
    .filter(({ count }) => count > 0)
    .map(({ ref, count }) => `${ref.plural}.${ref.group} has ${count} resource instances`);
  const finalizers = [...held].map(([name, n]) => `${name} in ${n} resource instances`);
  const listed = (lead: string, items: readonly string[]): string | undefined =>
    items.length > 0 ? `${lead}: ${[...items].sort().join(', ')}` : undefined;
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      bad: listed(`Discovery failed for some groups, ${failed.length} failing`, failed),
      reasons: ['DiscoveryFailed', 'ResourcesDiscovered'],
      good: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      bad: undefined,
      reasons: ['GroupVersionParsingFailed', 'ParsedGroupVersions'],
      good: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      bad: listed(`Failed to delete all resource types, ${failures.length} remaining`, failures),
      reasons: ['ContentDeletionFailed', 'ContentDeleted'],
      good: 'All content successfully deleted, may be waiting on finalization',
    },
    {
      type: 'NamespaceContentRemaining',
      bad: listed('Some resources are remaining', content),
      reasons: ['SomeResourcesRemain', 'ContentRemoved'],
      good: 'All content successfully removed',
    },
    {
      type: 'NamespaceFinalizersRemaining',
      bad: listed('Some content in the namespace has finalizers remaining', finalizers),
      reasons: ['SomeFinalizersRemain', 'ContentHasNoFinalizers'],
      good: 'All content-preserving finalizers finished',
    },
  ];
}

/** Pure: the conditions that say why a namespace is still there (k8s namespace/deletion/status_condition_utils.go). */
export function deletionConditions(
  before: readonly NamespaceCondition[],
  remainders: readonly Remainder[],
  failed: readonly string[],
  now: number,
): NamespaceCondition[] {
  return factsOf(remainders, failed).reduce(
    (conditions, { type, bad, reasons, good }) =>
      withCondition(conditions, {
        type,
        status: bad === undefined ? 'False' : 'True',
        reason: reasons[bad === undefined ? 1 : 0],
        message: bad ?? good,
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
    const remainders = await this.#emptyAll(
      refs.filter((ref) => ref.namespaced),
      key.name,
    );
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
    const failure = remainders.find((one) => one.failure)?.failure;
    if (failure) throw failure;
    return { requeueAfterMs: RECHECK_MS };
  }

  /** Pods first: what protects or feeds them, NetworkPolicies say, must not go before them (KEP-5080). */
  async #emptyAll(refs: readonly ResourceRef[], namespace: string): Promise<Remainder[]> {
    const isPods = ({ group, plural }: ResourceRef): boolean => group === '' && plural === 'pods';
    const emptied = (some: readonly ResourceRef[]): Promise<Remainder[]> =>
      Promise.all(some.map((ref) => this.#empty(ref, namespace)));
    const pods = await emptied(refs.filter(isPods));
    if (pods.some(({ count }) => count > 0)) return pods;
    return [...pods, ...(await emptied(refs.filter((ref) => !isPods(ref))))];
  }

  /** Asks for all objects of one resource to be deleted and counts those that are left. */
  async #empty(ref: ResourceRef, namespace: string): Promise<Remainder> {
    const client = this.client.resource<KubeObject>(ref);
    try {
      const before = await client.list({ namespace, limit: 1 });
      if (before.items.length === 0) return { ref, count: 0, finalizers: [] };
      await client.deleteCollection({ namespace }, { propagationPolicy: 'Background' });
      const { items } = await client.list({ namespace, pageSize: 500 });
      const finalizers = items.flatMap(({ metadata }) => metadata.finalizers ?? []);
      return { ref, count: items.length, finalizers };
    } catch (error) {
      // The resource itself is gone, or cannot be deleted so.
      if (isNotFound(error) || (error instanceof StatusError && error.code === 405))
        return { ref, count: 0, finalizers: [] };
      if (isConflict(error)) return { ref, count: 1, finalizers: [] };
      if (isFenced(error) || !(error instanceof StatusError)) throw error;
      return { ref, count: 1, finalizers: [], failure: error };
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
