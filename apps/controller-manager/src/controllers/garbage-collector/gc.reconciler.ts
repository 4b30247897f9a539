import type { KubeObject, ObjectKey, OwnerReference } from '@orrery/apimachinery';
import { StatusError, isConflict, isNotFound, keyOf } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { ControllerContext, ControllerEntry } from '../../controller-entry.js';
import { RepeatedDiscovery } from '../../discovery/discover-resources.js';
import {
  FOREGROUND,
  ORPHAN,
  blocking,
  decideGarbage,
  isOrphaning,
  isWaiting,
  unblockedReferences,
} from './gc.decide.js';
import type { OwnedBy, OwnerState } from './gc.decide.js';
import { createGarbageMeters } from './gc.metrics.js';
import type { SyncFailed } from './gc.metrics.js';
import { OwnerGraph } from './owner-graph.js';
import type { GraphItem } from './owner-graph.js';

const DISCOVERY: ObjectKey = { name: 'discovery' };
const DISCOVERY_PERIOD_MS = 30_000;
const SYNC_RECHECK_MS = 200;
const UNKNOWN_RECHECK_MS = 60_000;

/** Deletes what lost its last owner, and carries out foreground deletion and orphaning. */
export class GarbageReconciler implements Reconciler {
  private readonly discovery: RepeatedDiscovery;

  constructor(
    private readonly graph: OwnerGraph,
    private readonly client: KubeClient,
    private readonly events: EventRecorder,
    private readonly syncFailed: SyncFailed,
  ) {
    this.discovery = new RepeatedDiscovery(client);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    if (key.namespace === undefined) return this.#discover();
    if (!this.graph.hasSynced) return { requeueAfterMs: SYNC_RECHECK_MS };
    const item = this.graph.find(key);
    if (!item) return done;
    if (isOrphaning(item.object)) await this.#orphan(item);
    else if (isWaiting(item.object)) await this.#waitForDependents(item);
    else if (!item.object.metadata.deletionTimestamp) return this.#collect(item);
    return done;
  }

  async #discover(): Promise<Result> {
    const refs = await this.discovery.refs().catch((error: unknown) => {
      this.syncFailed();
      throw error;
    });
    // Events own nothing, are owned by nothing and are many (k8s: DefaultIgnoredResources).
    this.graph.watch(refs.filter(({ kind }) => kind !== 'Event'));
    return { requeueAfterMs: DISCOVERY_PERIOD_MS };
  }

  async #collect({ ref, object }: GraphItem): Promise<Result> {
    const owners: OwnedBy[] = [];
    for (const reference of object.metadata.ownerReferences ?? [])
      owners.push({ reference, state: await this.#stateOf(reference, object) });
    const dependents = this.graph.dependentsOf(object.metadata.uid ?? '');
    const action = decideGarbage(object, owners, dependents.length > 0);
    if (action.type === 'disown') await this.#disown({ ref, object }, action.uids);
    else if (action.type === 'delete') {
      const { uid, resourceVersion } = (await this.#unblock({ ref, object }, dependents)).metadata;
      const preconditions = {
        ...(uid ? { uid } : {}),
        // Owners may have been added since: only the version that was judged may go.
        ...(resourceVersion ? { resourceVersion } : {}),
      };
      await ignoreNotFound(
        this.client
          .resource(ref)
          .delete(keyOf(object), { propagationPolicy: action.policy, preconditions }),
      );
    }
    // A kind that nobody serves may be served some day.
    return owners.some(({ state }) => state === 'unknown')
      ? { requeueAfterMs: UNKNOWN_RECHECK_MS }
      : done;
  }

  /** Where the object is part of a circle of deletions, it lets go of its owners first. */
  async #unblock(
    { ref, object }: GraphItem,
    dependents: readonly GraphItem[],
  ): Promise<KubeObject> {
    const all = dependents.map((dependent) => dependent.object);
    const ownerReferences = unblockedReferences(object, all);
    if (!ownerReferences) return object;
    const { uid, resourceVersion } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, ownerReferences } };
    return this.client.resource<KubeObject>(ref).patch(keyOf(object), 'merge', patch);
  }

  async #stateOf(reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> {
    if (this.graph.isKnownAbsent(reference.uid)) return 'absent';
    const watched = this.graph.refOf(reference);
    if (!watched || watched.informer.isAbsent) return 'unknown';
    const { namespace } = dependent.metadata;
    if (watched.ref.namespaced && !namespace) {
      this.#reportNamespace(reference, dependent);
      return 'unresolvable';
    }
    const key =
      watched.ref.namespaced && namespace
        ? { namespace, name: reference.name }
        : { name: reference.name };
    const cached = watched.informer.lister.get(key);
    if (cached?.metadata.uid === reference.uid) return presentState(cached);
    const owner = await this.#live(watched.ref, key);
    if (owner === 'unknown') return owner;
    if (owner?.metadata.uid === reference.uid) return presentState(owner);
    if (this.graph.hasElsewhere(watched, reference.uid))
      this.#reportNamespace(reference, dependent);
    else this.graph.noteAbsent(reference.uid);
    return 'absent';
  }

  /** The cache may lag behind: only the server says that an owner is absent. */
  async #live(ref: GraphItem['ref'], key: ObjectKey): Promise<KubeObject | undefined | 'unknown'> {
    try {
      return await this.client.resource<KubeObject>(ref).get(key);
    } catch (error) {
      // Without a name it is the resource that is not there, and nobody knows about the object.
      if (error instanceof StatusError && isNotFound(error))
        return error.status.details?.name === undefined ? 'unknown' : undefined;
      throw error;
    }
  }

  /** k8s garbagecollector/graph_builder.go:reportInvalidNamespaceOwnerRef */
  #reportNamespace({ apiVersion, kind, name, uid }: OwnerReference, dependent: KubeObject): void {
    const { namespace = '' } = dependent.metadata;
    const identity = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    const text = `ownerRef ${identity} does not exist in namespace ${JSON.stringify(namespace)}`;
    this.events.event(dependent, 'Warning', 'OwnerRefInvalidNamespace', text);
  }

  async #waitForDependents(item: GraphItem): Promise<void> {
    const { uid = '' } = item.object.metadata;
    const dependents = this.graph.dependentsOf(uid).map(({ object }) => object);
    if (blocking(dependents, uid).length > 0) this.graph.touchIdleDependents(item.object);
    else await this.#dropFinalizer(item, FOREGROUND);
  }

  async #orphan(item: GraphItem): Promise<void> {
    const { uid = '' } = item.object.metadata;
    await Promise.all(this.graph.dependentsOf(uid).map((d) => this.#disown(d, [uid])));
    await this.#dropFinalizer(item, ORPHAN);
  }

  async #disown({ ref, object }: GraphItem, uids: readonly string[]): Promise<void> {
    const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
    const left = ownerReferences.filter((owner) => !uids.includes(owner.uid));
    const patch = { metadata: { uid, resourceVersion, ownerReferences: left } };
    await ignoreNotFound(this.client.resource(ref).patch(keyOf(object), 'merge', patch));
  }

  async #dropFinalizer({ ref, object }: GraphItem, finalizer: string): Promise<void> {
    const { uid, resourceVersion, finalizers = [] } = object.metadata;
    const left = finalizers.filter((name) => name !== finalizer);
    const patch = { metadata: { uid, resourceVersion, finalizers: left } };
    await ignoreNotFound(this.client.resource(ref).patch(keyOf(object), 'merge', patch));
  }
}

const presentState = (owner: KubeObject): OwnerState => (isWaiting(owner) ? 'waiting' : 'solid');

async function ignoreNotFound(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // A conflict means that the object changed: its event brings it back here.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

const graphs = new WeakMap<ControllerContext, OwnerGraph>();

/** The graph that a context's definition and reconciler share. */
function graphOf(context: ControllerContext): OwnerGraph {
  const graph = graphs.get(context) ?? new OwnerGraph(context.informers, context.clock);
  graphs.set(context, graph);
  return graph;
}

export const garbageCollector: ControllerEntry = {
  name: 'garbage-collector-controller',
  definition: (context) => ({
    ...defineController('garbage-collector-controller')
      .concurrency(20)
      .initially(DISCOVERY)
      .watches(resources.customresourcedefinitions, () => [DISCOVERY])
      .build(),
    source: (add) => {
      graphOf(context).connect(add);
    },
  }),
  create: (context) =>
    new GarbageReconciler(
      graphOf(context),
      context.client,
      context.events('garbage-collector-controller'),
      createGarbageMeters(context.metrics),
    ),
};
