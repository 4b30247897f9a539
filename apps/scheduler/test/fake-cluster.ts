import {
  applyStrategicMergePatch,
  keyOf,
  newConflict,
  newNotFound,
  toKeyString,
} from '@orrery/apimachinery';
import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { schemaRegistry } from '@orrery/api';
import type { Binding, Pod, ResourceClaim, ResourceRef } from '@orrery/api';
import type { KubeClient, ResourceClient, WatchEvent, WatchQuery } from '@orrery/client';

type Push = (event: WatchEvent<KubeObject>) => void;

const POD = 'io.k8s.api.core.v1.Pod';

/** The API of a cluster, in memory: what the scheduler uses of it. Field selectors are not looked at. */
export class FakeCluster implements KubeClient {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #watchers = new Map<string, Set<Push>>();
  readonly #log = new Map<string, { at: number; event: WatchEvent<KubeObject> }[]>();
  #revision = 1;
  /** Set to make bindings fail. */
  bindingError: Error | undefined;

  put(plural: string, object: KubeObject): void {
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String(++this.#revision);
    const known = this.#of(plural).has(toKeyString(keyOf(stored)));
    this.#of(plural).set(toKeyString(keyOf(stored)), stored);
    this.#tell(plural, { type: known ? 'MODIFIED' : 'ADDED', object: structuredClone(stored) });
  }

  remove(plural: string, key: ObjectKey): void {
    const gone = this.#of(plural).get(toKeyString(key));
    if (!gone) return;
    this.#of(plural).delete(toKeyString(key));
    gone.metadata.resourceVersion = String(++this.#revision);
    this.#tell(plural, { type: 'DELETED', object: structuredClone(gone) });
  }

  pod(name: string): Pod | undefined {
    return this.#of('pods').get(`default/${name}`) as Pod | undefined;
  }

  claim(name: string): ResourceClaim | undefined {
    return this.#of('resourceclaims').get(`default/${name}`) as ResourceClaim | undefined;
  }

  claims(): ResourceClaim[] {
    return [...this.#of('resourceclaims').values()] as ResourceClaim[];
  }

  /** Node by pod name; '' for those without. */
  placements(): Record<string, string> {
    const pods = [...this.#of('pods').values()] as Pod[];
    return Object.fromEntries(pods.map((p) => [p.metadata.name, p.spec.nodeName ?? '']));
  }

  resource<T extends KubeObject>({ plural }: ResourceRef<T>): ResourceClient<T> {
    const client: Partial<ResourceClient<KubeObject>> = {
      list: () =>
        Promise.resolve({
          metadata: { resourceVersion: String(this.#revision) },
          items: structuredClone([...this.#of(plural).values()]),
        }),
      watch: (query, signal) => this.#watch(plural, query, signal),
      get: (key) => Promise.resolve(structuredClone(this.#get(plural, key))),
      create: (object) => this.#create(plural, object),
      update: (object) => this.#replace(plural, object, 'status'),
      updateStatus: (object) => this.#replace(plural, object, 'spec'),
      patch: (key, _type, body) => this.#patch(plural, key, body as object),
      delete: (key) => {
        this.remove(plural, key);
        return Promise.resolve();
      },
      createSubresource: <R>(key: ObjectKey, _name: string, body: unknown) => {
        if (this.bindingError) return Promise.reject(this.bindingError);
        const bound = structuredClone(this.#get('pods', key)) as Pod;
        bound.spec.nodeName = (body as Binding).target.name ?? '';
        this.put('pods', bound);
        return Promise.resolve({} as R);
      },
    };
    return client as unknown as ResourceClient<T>;
  }

  raw(): Promise<{ code: number; body: string }> {
    return Promise.resolve({ code: 200, body: 'ok' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #of(plural: string): Map<string, KubeObject> {
    const objects = this.#objects.get(plural) ?? new Map<string, KubeObject>();
    this.#objects.set(plural, objects);
    return objects;
  }

  #get(plural: string, key: ObjectKey): KubeObject {
    const found = this.#of(plural).get(toKeyString(key));
    if (!found) throw newNotFound({ group: '', resource: plural }, key.name);
    return found;
  }

  #tell(plural: string, event: WatchEvent<KubeObject>): void {
    const log = this.#log.get(plural) ?? [];
    log.push({ at: this.#revision, event });
    this.#log.set(plural, log);
    for (const push of this.#watchers.get(plural) ?? []) push(event);
  }

  #create(plural: string, object: KubeObject): Promise<KubeObject> {
    const { generateName = '', name = `${generateName}${this.#revision}` } = object.metadata;
    const metadata = { ...object.metadata, name, uid: `uid-${name}` };
    this.put(plural, { ...object, metadata });
    return Promise.resolve(structuredClone(this.#get(plural, keyOf({ ...object, metadata }))));
  }

  /** Writes an object, but for a part that stays as it was; a conflict when it was changed meanwhile. */
  #replace(plural: string, object: KubeObject, kept: string): Promise<KubeObject> {
    const before = this.#get(plural, keyOf(object));
    if (object.metadata.resourceVersion !== before.metadata.resourceVersion)
      return Promise.reject(
        newConflict({ group: '', resource: plural }, keyOf(object).name, 'old'),
      );
    this.put(plural, { ...object, [kept]: (before as unknown as Record<string, unknown>)[kept] });
    return Promise.resolve(structuredClone(this.#get(plural, keyOf(object))));
  }

  #patch(plural: string, key: ObjectKey, body: object): Promise<KubeObject> {
    const before = this.#get(plural, key);
    const after = applyStrategicMergePatch(before, body, schemaRegistry(), POD) as KubeObject;
    this.put(plural, after);
    return Promise.resolve(after);
  }

  async *#watch(
    plural: string,
    { sendInitialEvents, resourceVersion }: WatchQuery,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<KubeObject>> {
    const waiting: WatchEvent<KubeObject>[] = [];
    let wake: (() => void) | undefined;
    const push: Push = (event) => {
      waiting.push(event);
      wake?.();
    };
    const watchers = this.#watchers.get(plural) ?? new Set<Push>();
    this.#watchers.set(plural, watchers.add(push));
    if (sendInitialEvents) {
      for (const object of this.#of(plural).values())
        waiting.push({ type: 'ADDED', object: structuredClone(object) });
      const revision = String(this.#revision);
      waiting.push({ type: 'BOOKMARK', resourceVersion: revision, initialEventsEnd: true });
    } else
      for (const { at, event } of this.#log.get(plural) ?? [])
        if (at > Number(resourceVersion)) waiting.push(event);
    signal.addEventListener('abort', () => wake?.());
    try {
      while (!signal.aborted) {
        for (let next = waiting.shift(); next; next = waiting.shift()) yield next;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted || waiting.length > 0) resolve();
        });
      }
    } finally {
      watchers.delete(push);
    }
  }
}
