import type { EtcdClient } from '../etcd3/etcd-client.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { StoredEntry } from '../etcd3/stored-entry.js';
import { StorageError } from '../storage-error.js';
import type { Entry } from '../storage.js';
import type { CacheState, StateSnapshot } from '../watch-cache/cache-state.js';
import { KeyIndex } from '../watch-cache/key-index.js';

export interface BasePage {
  readonly entries: readonly Entry[];
  /** Entries below the prefix behind the last one of the page. */
  readonly remaining: number;
}

/** What a fork stands on: a keyspace at one revision, which never changes. */
export interface ForkBase {
  readonly revision: number;
  get(key: string, signal?: AbortSignal): Promise<Entry | undefined>;
  page(prefix: string, range: BaseRange): Promise<BasePage>;
}

export interface BaseRange {
  readonly after?: string;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Read from etcd's history at each request. */
export class EtcdBase implements ForkBase {
  private readonly reader: EtcdReader;
  private readonly freshness;

  constructor(
    client: EtcdClient,
    readonly revision: number,
  ) {
    this.reader = new EtcdReader(client);
    this.freshness = { kind: 'exact', revision } as const;
  }

  get(key: string, signal?: AbortSignal): Promise<Entry | undefined> {
    return this.reader.get(key, { freshness: this.freshness, ...(signal && { signal }) });
  }

  page(prefix: string, range: BaseRange): Promise<BasePage> {
    return this.reader.list(prefix, { freshness: this.freshness, ...range });
  }
}

/**
 * Held in memory, a resource at a time: those of a snapshot of the live cache are there already and shared with it,
 * any other is loaded from etcd's history when it is first asked for.
 */
export class MemoryBase implements ForkBase {
  readonly revision: number;
  private readonly indexes = new Map<string, Promise<KeyIndex>>();
  private readonly history: EtcdBase;

  constructor(
    client: EtcdClient,
    /** Tells the resource of a key, and how the keyspace is divided. */
    private readonly live: Pick<CacheState, 'nameOf' | 'covers' | 'prefixOf'>,
    private readonly from: number | StateSnapshot,
  ) {
    this.revision = typeof from === 'number' ? from : from.revision;
    this.history = new EtcdBase(client, this.revision);
  }

  /** The entries of one resource; not to be changed but by a clone. */
  index(name: string): Promise<KeyIndex> {
    const known = this.indexes.get(name);
    if (known) return known;
    const { from } = this;
    const made =
      typeof from === 'number'
        ? this.load(name)
        : Promise.resolve(from.indexes.get(name) ?? new KeyIndex());
    this.indexes.set(name, made);
    made.catch(() => this.indexes.delete(name));
    return made;
  }

  async get(key: string, signal?: AbortSignal): Promise<Entry | undefined> {
    if (!this.live.covers(key)) return this.history.get(key, signal);
    const index = await this.index(this.live.nameOf(key));
    return index.get(key);
  }

  async page(prefix: string, range: BaseRange): Promise<BasePage> {
    if (!this.live.covers(prefix)) return this.history.page(prefix, range);
    const index = await this.index(this.live.nameOf(prefix));
    return index.page(prefix, range.after, range.limit);
  }

  private async load(name: string): Promise<KeyIndex> {
    const index = new KeyIndex();
    const { entries } = await this.history.page(this.live.prefixOf(name), {});
    for (const entry of entries) {
      if (!(entry instanceof StoredEntry))
        throw new StorageError('internal', `${entry.key}: not an entry of etcd's`);
      index.set(entry.detach());
    }
    return index;
  }
}
