import type { KubeObject } from '@orrery/apimachinery';
import type { Clock, Logger } from '@orrery/component';
import type { Entry, Storage } from '@orrery/storage';
import { StorageError } from '@orrery/storage';

const RETRY_MS = 500;

/** Reads of one resource that cost no request; objects are shared and never mutated. */
export interface LiveReader<T extends KubeObject> {
  get(name: string, namespace?: string): T | undefined;
  /** From memory, or from storage by a consistent read when memory does not have it (it may lag behind by milliseconds). */
  find(name: string, namespace?: string): Promise<T | undefined>;
  values(): IterableIterator<T>;
  /** Objects whose index value is `value`; see LiveViewOptions.index. */
  indexed(value: string): Iterable<T>;
  /** Changes with every change of the view. */
  readonly version: number;
}

export interface LiveViewDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of stored values that cannot be read (keys that are missing, say), which a view of its resource waits for. */
  readonly onUnreadable?: (error: StorageError) => void;
}

export interface LiveViewOptions<T extends KubeObject> {
  /** With a trailing slash: /registry/clusterroles/. */
  readonly prefix: string;
  readonly index?: (object: T) => string | undefined;
  /**
   * The index values that an object may have, told from its JSON: objects are parsed when somebody asks for them then,
   * which most of a large resource are never. `index` decides.
   */
  readonly indexBytes?: (bytes: Buffer) => readonly string[];
}

/**
 * All objects below one storage prefix, kept current by a watch; what authorizers, authenticators and
 * admission plugins read on every request. A view that lost its watch lists again and drops what has gone.
 */
export class LiveView<T extends KubeObject> implements LiveReader<T> {
  #version = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #index = new Map<string, Map<string, Entry>>();
  /** Entries let go of what they have parsed; what is made of an object (compiled programs) is kept by the object, which stays here. */
  readonly #objects = new WeakMap<Entry, T>();
  #markReady: () => void = () => undefined;
  /** Resolves when the first list is in. */
  readonly ready: Promise<void> = new Promise((resolve) => {
    this.#markReady = resolve;
  });

  constructor(
    private readonly deps: LiveViewDeps,
    private readonly options: LiveViewOptions<T>,
  ) {}

  get version(): number {
    return this.#version;
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objectOf(this.#entries.get(this.#key(name, namespace)));
  }

  async find(name: string, namespace?: string): Promise<T | undefined> {
    const key = this.#key(name, namespace);
    const entry =
      this.#entries.get(key) ??
      (await this.deps.storage.get(key, { freshness: { kind: 'consistent' } }));
    return this.#objectOf(entry);
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield this.#objectOf(entry);
  }

  *indexed(value: string): Iterable<T> {
    const { index, indexBytes } = this.options;
    for (const entry of this.#index.get(value)?.values() ?? []) {
      const object = this.#objectOf(entry);
      if (!indexBytes || index?.(object) === value) yield object;
    }
  }

  /** Follows storage until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listAndWatch(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.deps.logger.debug('live view lists again', {
          prefix: this.options.prefix,
          reason: error instanceof Error ? error.message : String(error),
        });
        if (error instanceof StorageError && error.code === 'corrupt')
          this.deps.onUnreadable?.(error);
        await this.deps.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #key(name: string, namespace?: string): string {
    return `${this.options.prefix}${namespace ? `${namespace}/` : ''}${name}`;
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const { storage } = this.deps;
    const { prefix } = this.options;
    const list = await storage.list(prefix, { freshness: { kind: 'consistent' }, signal });
    const listed = new Set(list.entries.map((entry) => entry.key));
    for (const key of this.#entries.keys()) if (!listed.has(key)) this.#remove(key);
    for (const entry of list.entries) this.#set(entry);
    this.#version++;
    this.#markReady();
    for await (const items of storage.watch(prefix, { after: list.revision, signal })) {
      for (const item of items) {
        if (item.kind !== 'event') continue;
        const { entry, type } = item.event;
        if (type === 'DELETED') this.#remove(entry.key);
        else this.#set(entry);
      }
      this.#version++;
    }
  }

  #set(entry: Entry): void {
    const { key } = entry;
    this.#unindex(key);
    this.#entries.set(key, entry);
    for (const value of this.#valuesOf(entry)) {
      const bucket = this.#index.get(value) ?? new Map<string, Entry>();
      bucket.set(key, entry);
      this.#index.set(value, bucket);
    }
  }

  #remove(key: string): void {
    this.#unindex(key);
    this.#entries.delete(key);
  }

  #unindex(key: string): void {
    const old = this.#entries.get(key);
    if (!old) return;
    for (const value of this.#valuesOf(old)) {
      const bucket = this.#index.get(value);
      bucket?.delete(key);
      if (bucket?.size === 0) this.#index.delete(value);
    }
  }

  #valuesOf(entry: Entry): readonly string[] {
    const { index, indexBytes } = this.options;
    if (indexBytes) return indexBytes(entry.bytes);
    const value = index?.(this.#objectOf(entry));
    return value === undefined ? [] : [value];
  }

  #objectOf(entry: Entry): T;
  #objectOf(entry: Entry | undefined): T | undefined;
  #objectOf(entry: Entry | undefined): T | undefined {
    if (!entry || this.options.indexBytes) return entry?.object as T | undefined;
    let object = this.#objects.get(entry);
    if (!object) this.#objects.set(entry, (object = entry.object as T));
    return object;
  }
}
