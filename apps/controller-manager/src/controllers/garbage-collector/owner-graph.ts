import type { KubeObject, ObjectKey, OwnerReference } from '@orrery/apimachinery';
import { keyOf, parseApiVersion } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import { revisionOf } from '@orrery/client';
import type { Clock } from '@orrery/component';
import type { IndexFunction, InformerFactory, SharedInformer } from '@orrery/informers';
import { isOrphaning, isWaiting, releasedOwners } from './gc.decide.js';

const OWNERS = 'owners';
const MAX_ABSENT = 20_000;
/** For so long a resource that cannot be read holds everything up (k8s garbagecollector: initialSyncTimeout). */
const PATIENCE_MS = 30_000;

const byOwners: IndexFunction<KubeObject> = (object) =>
  object.metadata.ownerReferences?.map((owner) => owner.uid) ?? [];

/** An object and where it is served. */
export interface GraphItem {
  readonly ref: ResourceRef;
  readonly object: KubeObject;
}

interface Watched {
  readonly ref: ResourceRef;
  readonly informer: SharedInformer<KubeObject>;
  readonly since: number;
}

const idOf = ({ group, version, plural }: ResourceRef): string => `${group}~${version}~${plural}`;

/**
 * Who owns whom, over the informers of all resources. Items are named by keys of the work queue:
 * namespace = `group~version~plural~namespace`.
 */
export class OwnerGraph {
  readonly #watched = new Map<string, Watched>();
  /** The same, by `group/kind`. */
  readonly #byKind = new Map<string, Watched>();
  readonly #absent = new Set<string>();
  #add: (key: ObjectKey, revision?: number) => void = () => undefined;

  constructor(
    private readonly informers: InformerFactory,
    private readonly clock: Clock,
  ) {}

  /** Sends the keys of items to look at to `add`, with the revision of the event that is the reason. */
  connect(add: (key: ObjectKey, revision?: number) => void): void {
    this.#add = add;
  }

  /** Follows resources that it does not yet follow, and those that have come back. */
  watch(refs: readonly ResourceRef[]): void {
    for (const ref of refs) {
      const known = this.#watched.get(idOf(ref));
      if (!known) this.#follow(ref);
      else if (known.informer.isAbsent) known.informer.askAgain();
    }
  }

  #follow(ref: ResourceRef): void {
    const informer = this.informers.informer<KubeObject>(ref);
    informer.addIndex(OWNERS, byOwners);
    const watched = { ref, informer, since: this.clock.monotonic() };
    this.#watched.set(idOf(ref), watched);
    const kind = `${ref.group}/${ref.kind}`;
    if (!this.#byKind.has(kind)) this.#byKind.set(kind, watched);
    const seen = (object: KubeObject): void => {
      if (this.#needsLook(object)) this.#add(toItemKey(ref, object), revisionOf(object));
      if (isWaiting(object) || isOrphaning(object)) this.touchDependents(object);
    };
    informer.addHandler({
      onAdd: seen,
      onUpdate: (object, old) => {
        seen(object);
        this.#touchOwners(object, releasedOwners(old, object));
      },
      onDelete: (object) => {
        this.noteAbsent(object.metadata.uid ?? '');
        this.touchDependents(object);
        this.#touchOwners(object);
      },
    });
  }

  /** Whether all is known that can be: what is gone, or answers with errors, must not hold up the rest for ever. */
  get hasSynced(): boolean {
    const now = this.clock.monotonic();
    return [...this.#watched.values()].every(
      ({ informer, since }) => informer.hasSynced || informer.isAbsent || now - since > PATIENCE_MS,
    );
  }

  /** The item of a queue key, if the cache has it. */
  find(key: ObjectKey): GraphItem | undefined {
    const [group = '', version = '', plural = '', namespace = ''] = (key.namespace ?? '').split(
      '~',
    );
    const watched = this.#watched.get(`${group}~${version}~${plural}`);
    const object = watched?.informer.lister.get(
      namespace === '' ? { name: key.name } : { namespace, name: key.name },
    );
    return watched && object ? { ref: watched.ref, object } : undefined;
  }

  dependentsOf(uid: string): GraphItem[] {
    const found: GraphItem[] = [];
    for (const { ref, informer } of this.#watched.values())
      for (const object of informer.lister.byIndex(OWNERS, uid)) found.push({ ref, object });
    return found;
  }

  /** Where an owner of that kind is served; undefined when nothing of that kind is known. */
  refOf(owner: OwnerReference): Watched | undefined {
    const { group } = parseApiVersion(owner.apiVersion);
    return this.#byKind.get(`${group}/${owner.kind}`);
  }

  /** Whether an object of that kind and uid is in any namespace. */
  hasElsewhere({ informer }: Watched, uid: string): boolean {
    return informer.lister.list().some(({ metadata }) => metadata.uid === uid);
  }

  isKnownAbsent(uid: string): boolean {
    return this.#absent.has(uid);
  }

  /** Uids are never used again: what is absent stays so. */
  noteAbsent(uid: string): void {
    this.#absent.add(uid);
    if (this.#absent.size <= MAX_ABSENT) return;
    const oldest = this.#absent.values().next();
    if (!oldest.done) this.#absent.delete(oldest.value);
  }

  /** Those that are not waiting for dependents of their own: they tell their owners when they go. */
  touchIdleDependents(owner: KubeObject): void {
    for (const { ref, object } of this.dependentsOf(owner.metadata.uid ?? ''))
      if (!isWaiting(object)) this.#add(toItemKey(ref, object), revisionOf(owner));
  }

  touchDependents(owner: KubeObject): void {
    for (const { ref, object } of this.dependentsOf(owner.metadata.uid ?? ''))
      this.#add(toItemKey(ref, object), revisionOf(owner));
  }

  /** An owner that waits for its dependents looks again when one has gone or holds it back no more. */
  #touchOwners(
    dependent: KubeObject,
    owners: readonly OwnerReference[] = dependent.metadata.ownerReferences ?? [],
  ): void {
    for (const owner of owners) {
      const found = this.#cachedOwner(dependent, owner);
      if (found && isWaiting(found.object))
        this.#add(toItemKey(found.ref, found.object), revisionOf(dependent));
    }
  }

  #cachedOwner({ metadata }: KubeObject, owner: OwnerReference): GraphItem | undefined {
    const found = this.refOf(owner);
    const { namespace } = metadata;
    if (!found || (found.ref.namespaced && !namespace)) return undefined;
    const key = found.ref.namespaced && namespace ? { namespace } : {};
    const object = found.informer.lister.get({ ...key, name: owner.name });
    return object && { ref: found.ref, object };
  }

  /** An object whose owners are all there, and stay, is kept: their own events bring it back. */
  #needsLook(object: KubeObject): boolean {
    if (isWaiting(object) || isOrphaning(object)) return true;
    const owners = object.metadata.ownerReferences ?? [];
    return !owners.every((owner) => {
      const found = this.#cachedOwner(object, owner)?.object;
      return found?.metadata.uid === owner.uid && !isWaiting(found);
    });
  }
}

function toItemKey(ref: ResourceRef, object: KubeObject): ObjectKey {
  const { namespace = '', name } = keyOf(object);
  return { namespace: `${idOf(ref)}~${namespace}`, name };
}
