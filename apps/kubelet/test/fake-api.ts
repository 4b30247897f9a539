import type { ResourceRef } from '@orrery/api';
import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { keyOf, newNotFound, toKeyString } from '@orrery/apimachinery';
import type { KubeClient, ResourceClient, WatchEvent } from '@orrery/client';

type Any = KubeObject & { status?: Record<string, unknown>; spec?: Record<string, unknown> };

/** As the wire does: what is undefined goes, and the objects are those of the realm that compares them. */
const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Objects of every resource in memory, with watches; enough of the API server for agents that write what they own. */
export class FakeApi {
  private readonly stores = new Map<string, Map<string, Any>>();
  private readonly watchers = new Map<string, Set<(event: WatchEvent<Any>) => void>>();
  private revision = 0;
  /** `verb resource[/subresource]` of all writes, in order. */
  readonly writes: string[] = [];

  readonly client = {
    resource: (ref: ResourceRef<Any>) => this.resource(ref),
    close: () => Promise.resolve(),
  } as unknown as KubeClient;

  all(plural: string): readonly Any[] {
    return [...this.store(plural).values()];
  }

  get(plural: string, key: ObjectKey): Any | undefined {
    return this.store(plural).get(toKeyString(key));
  }

  /** Somebody else writes. */
  put<T extends KubeObject>(plural: string, given: T): Any {
    const object: Any = given as KubeObject;
    const key = toKeyString(keyOf(object));
    const type = this.store(plural).has(key) ? 'MODIFIED' : 'ADDED';
    const stored: Any = {
      ...object,
      metadata: {
        uid: `uid-${key}`,
        ...object.metadata,
        resourceVersion: String(++this.revision),
      },
    };
    this.store(plural).set(key, copyOf(stored));
    this.tell(plural, { type, object: copyOf(stored) });
    return copyOf(stored);
  }

  remove(plural: string, key: ObjectKey): void {
    const gone = this.get(plural, key);
    if (!gone) return;
    this.store(plural).delete(toKeyString(key));
    this.tell(plural, { type: 'DELETED', object: copyOf(gone) });
  }

  private store(plural: string): Map<string, Any> {
    const found = this.stores.get(plural) ?? new Map<string, Any>();
    this.stores.set(plural, found);
    return found;
  }

  private tell(plural: string, event: WatchEvent<Any>): void {
    for (const watcher of this.watchers.get(plural) ?? []) watcher(event);
  }

  private resource(ref: ResourceRef<Any>): Partial<ResourceClient<Any>> {
    const { plural } = ref;
    const must = (key: ObjectKey): Any => {
      const found = this.get(plural, key);
      if (!found) throw newNotFound({ group: ref.group, resource: plural }, key.name);
      return found;
    };
    const write = (verb: string, object: Any): Promise<Any> => {
      this.writes.push(`${verb} ${plural}`);
      return Promise.resolve(this.put(plural, object));
    };
    return {
      get: (key) => Promise.resolve().then(() => copyOf(must(key))),
      create: (object) => write('create', object),
      update: (object) => write('update', object),
      patch: (key, _type, body, { subresource = '' } = {}) =>
        Promise.resolve().then(() => {
          const old = must(key);
          const { status } = body as { status?: Record<string, unknown> };
          return write(`patch ${subresource}`, { ...old, status: { ...old.status, ...status } });
        }),
      delete: (key) => {
        this.writes.push(`delete ${plural}`);
        this.remove(plural, key);
        return Promise.resolve();
      },
      watch: (_query, signal) => this.watch(plural, signal),
    };
  }

  private async *watch(plural: string, signal: AbortSignal): AsyncGenerator<WatchEvent<Any>> {
    const queue: WatchEvent<Any>[] = this.all(plural).map((object) => ({
      type: 'ADDED',
      object: copyOf(object),
    }));
    queue.push({
      type: 'BOOKMARK',
      resourceVersion: String(this.revision),
      initialEventsEnd: true,
    });
    let wake: () => void = () => undefined;
    const watcher = (event: WatchEvent<Any>): void => {
      queue.push(event);
      wake();
    };
    const watchers = this.watchers.get(plural) ?? new Set();
    this.watchers.set(plural, watchers.add(watcher));
    signal.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      watchers.delete(watcher);
    }
  }
}
