import type { KubeObject } from '@orrery/apimachinery';
import { keyOf, toKeyString } from '@orrery/apimachinery';
import type { ResourceClient, WatchEvent } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { Indexer } from './indexer.js';
import type { IndexFunction, Lister } from './indexer.js';
import { Reflector } from './reflector.js';
import type { ReflectorSink } from './reflector.js';
import { isAtLeast } from './resource-version.js';

/** Which objects of a resource an informer holds; absent = all. */
export interface InformerScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Called after the cache has changed, in the order of changes. Must not throw and must not change the objects. */
export interface InformerHandler<T extends KubeObject> {
  /** `initial` while the first list is being delivered. */
  onAdd?(object: T, initial: boolean): void;
  onUpdate?(object: T, old: T): void;
  /** `object` is the last state known, which after a relist may not be the last there was. */
  onDelete?(object: T): void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: ResourceClient<T>;
  readonly scope?: InformerScope;
  /** Drops or rewrites what need not be kept, before the object enters the cache. */
  readonly transform?: (object: T) => T;
  /** The transform drops metadata.managedFields, whatever else it does. */
  readonly withoutManagedFields?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Waiter {
  readonly ready: () => boolean;
  readonly resolve: () => void;
}

/** How long events are waited for before a collection is read anew. */
const PATIENCE_MS = 300;

/** A cache of one collection that follows the API server, and the news of its changes. */
export class SharedInformer<T extends KubeObject> implements ReflectorSink<T> {
  readonly #indexer = new Indexer<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  #waiters: Waiter[] = [];
  #synced = false;
  #absent = false;
  #resourceVersion = '';
  #reflector: Reflector<T> | undefined;

  constructor(private readonly options: InformerOptions<T>) {}

  get lister(): Lister<T> {
    return this.#indexer;
  }

  /** True once the first complete list is in the cache and delivered to the handlers. */
  get hasSynced(): boolean {
    return this.#synced;
  }

  /** True while the server says that it has no such resource; it is asked again and again. */
  get isAbsent(): boolean {
    return this.#absent;
  }

  /** Asks at once for a resource that was absent, instead of after the waiting time. */
  askAgain(): void {
    this.#reflector?.relist(() => undefined);
  }

  /** The cache holds every change up to this revision; '' before the first list. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  /** Whether the cache holds every change up to `resourceVersion`. */
  hasSeen(resourceVersion: string): boolean {
    return this.#synced && isAtLeast(this.#resourceVersion, resourceVersion);
  }

  get size(): number {
    return this.#indexer.size;
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    this.#indexer.addIndex(name, values);
  }

  /** Adds a handler, which first hears of what is in the cache already. The result removes it. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#indexer.list()) handler.onAdd?.(object, true);
    return () => {
      this.#handlers.delete(handler);
    };
  }

  /** Follows the server until the signal aborts. Call once. */
  async start(signal: AbortSignal): Promise<void> {
    const { scope = {}, transform: _, ...options } = this.options;
    this.#reflector = new Reflector<T>({ ...options, scope, sink: this });
    await this.#reflector.start(signal);
  }

  /**
   * Resolves when the cache has been read anew, and so holds every change up to now, or when the server says that it
   * has no such resource; rejects with the signal's reason.
   */
  async relist(signal: AbortSignal): Promise<void> {
    if (!this.#reflector) return this.waitForSync(signal);
    this.#absent = false;
    let done = false;
    const wake = (): void => {
      done = true;
      this.#wake();
    };
    this.#reflector.relist(wake);
    await this.#waitUntil(() => done || this.#absent, signal);
  }

  /**
   * Resolves when the cache holds every change up to `resourceVersion`, which may have been long ago; or when the server
   * has no such resource, as after the deletion of its definition: there is nothing to wait for.
   */
  async catchUp(resourceVersion: string, signal: AbortSignal): Promise<void> {
    await this.waitForSyncOrAbsence(signal);
    if (!this.#synced) return;
    const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    // Nothing comes where nothing happens: then the collection is asked for again.
    await this.waitUntilSeen(resourceVersion, soon).catch(async () => {
      signal.throwIfAborted();
      await this.relist(signal);
    });
  }

  /** Resolves when synced; rejects with the signal's reason. */
  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#waitUntil(() => this.#synced, signal);
  }

  /** The same, or when the server says that it has no such resource: the cache stays empty until it has. */
  waitForSyncOrAbsence(signal: AbortSignal): Promise<void> {
    return this.#waitUntil(() => this.#synced || this.#absent, signal);
  }

  /** Resolves when the cache holds every change up to `resourceVersion`; rejects with the signal's reason. */
  waitUntilSeen(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#waitUntil(() => this.hasSeen(resourceVersion), signal);
  }

  replace(items: readonly T[], resourceVersion: string): void {
    const gone = new Set(this.#indexer.keys());
    const kept = items.map((item) => this.#transform(item));
    for (const object of kept) gone.delete(toKeyString(keyOf(object)));
    this.#resourceVersion = resourceVersion;
    for (const key of gone) this.#remove(key);
    for (const object of kept) this.#set(object);
    this.#synced = true;
    this.#absent = false;
    this.#wake();
  }

  missing(): void {
    this.#absent = true;
    this.#wake();
  }

  apply(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') this.#advance(event.resourceVersion);
    else {
      const object = this.#transform(event.object);
      this.#advance(object.metadata.resourceVersion ?? '');
      if (event.type === 'DELETED') this.#remove(toKeyString(keyOf(object)), object);
      else this.#set(object);
    }
    this.#wake();
  }

  #transform(object: T): T {
    return this.options.transform ? this.options.transform(object) : object;
  }

  #advance(resourceVersion: string): void {
    if (isAtLeast(resourceVersion, this.#resourceVersion)) this.#resourceVersion = resourceVersion;
  }

  #set(object: T): void {
    const old = this.#indexer.set(object);
    for (const handler of this.#handlers) {
      if (!old) handler.onAdd?.(object, !this.#synced);
      else if (old.metadata.uid !== object.metadata.uid) {
        handler.onDelete?.(old);
        handler.onAdd?.(object, false);
      } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion)
        handler.onUpdate?.(object, old);
    }
  }

  #remove(key: string, last?: T): void {
    const old = this.#indexer.remove(key);
    const object = last ?? old;
    if (!old || !object) return;
    for (const handler of this.#handlers) handler.onDelete?.(object);
  }

  #waitUntil(ready: () => boolean, signal: AbortSignal): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((waiter) => waiter !== own);
        reject(signal.reason as Error);
      };
      const own: Waiter = {
        ready,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) reject(signal.reason as Error);
      else {
        signal.addEventListener('abort', onAbort, { once: true });
        this.#waiters.push(own);
      }
    });
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.ready());
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }
}
