import type { EtcdClient } from '../etcd3/etcd-client.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { LeasePool } from '../etcd3/lease-pool.js';
import { StorageError } from '../storage-error.js';
import type {
  Entry,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchOptions,
  WatchStream,
  WriteOptions,
} from '../storage.js';
import type { ReplayBatch } from '../watch-cache/memory-reads.js';
import type { ForkBase } from './fork-base.js';
import { EtcdBase } from './fork-base.js';
import { replayFork, watchFork } from './fork-events.js';
import { overlayKey } from './fork-record.js';
import type { Fork } from './fork-record.js';
import { ForkWriter } from './fork-writer.js';
import { mergePage } from './merge.js';
import type { OverlayItem } from './merge.js';
import { decodeOverlay } from './overlay-value.js';

export interface ForkStorageOptions {
  readonly client: EtcdClient;
  readonly fork: Fork;
  /** The key of the fork's pin. */
  readonly pinKey: string;
  /** Where the base is read. Default: in etcd's history. */
  readonly base?: ForkBase;
  /** Whether each write's transaction also records its cause. Default true. */
  readonly causeRecords?: boolean;
}

/**
 * A writable keyspace that stands on another one's revision: its own keys lie below `/forks/<name>`, everything else is
 * read as of the base revision. Readers see the keys of the keyspace that was forked; revisions are etcd's, so a list's
 * is the current one, and nothing older than the fork can be asked for.
 */
export class ForkStorage implements Storage {
  readonly fork: Fork;
  readonly base: ForkBase;
  private readonly client: EtcdClient;
  private readonly reader: EtcdReader;
  private readonly writer: ForkWriter;

  constructor({ client, fork, pinKey, base, causeRecords = true }: ForkStorageOptions) {
    this.client = client;
    this.fork = fork;
    this.base = base ?? new EtcdBase(client, fork.base);
    this.reader = new EtcdReader(client);
    const leases = new LeasePool(client);
    this.writer = new ForkWriter({ client, fork, base: this.base, leases, pinKey, causeRecords });
  }

  create(key: string, value: Buffer, options: WriteOptions = {}): Promise<Entry> {
    return this.writer.create(key, value, options);
  }

  async update(
    key: string,
    expected: number,
    value: Buffer,
    options: WriteOptions & { readonly known?: Entry } = {},
  ): Promise<Entry> {
    requireRevision('update', key, expected);
    return this.writer.update(key, expected, value, options);
  }

  async delete(key: string, expected: number, options: WriteOptions = {}): Promise<Entry> {
    requireRevision('delete', key, expected);
    return this.writer.delete(key, expected, options);
  }

  async get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    this.refuseOlder(options);
    const found = await this.reader.get(overlayKey(this.fork.name, key), options);
    if (!found) return this.base.get(key, options.signal);
    const state = decodeOverlay(key, toKeyValue(found));
    return state.kind === 'object' ? state.entry : undefined;
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    this.refuseOlder(options);
    const { after, limit, signal } = options;
    const { revision, items } = await this.overlay(prefix, options);
    const merged = await mergePage({
      overlay: items,
      base: (from, most) =>
        this.base.page(prefix, {
          ...(from === undefined ? {} : { after: from }),
          ...(most === Infinity ? {} : { limit: most }),
          ...(signal && { signal }),
        }),
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    });
    return { ...merged, revision };
  }

  /** What the fork itself has stored below a prefix, in key order. */
  async overlay(
    prefix: string,
    { freshness, after, signal }: Omit<ListOptions, 'limit'>,
  ): Promise<{ readonly revision: number; readonly items: readonly OverlayItem[] }> {
    const { name } = this.fork;
    const own = await this.reader.list(overlayKey(name, prefix), {
      freshness,
      ...(after === undefined ? {} : { after: overlayKey(name, after) }),
      ...(signal && { signal }),
    });
    const root = overlayKey(name, '').length;
    const items = own.entries.map((entry): OverlayItem => {
      const key = entry.key.slice(root);
      return { key, state: decodeOverlay(key, toKeyValue(entry)) };
    });
    return { revision: own.revision, items };
  }

  watch(prefix: string, options: WatchOptions): WatchStream {
    return watchFork(this.events, prefix, options);
  }

  /** The events of a prefix above `after`, from etcd's history. */
  replay(
    prefix: string,
    options: Pick<WatchOptions, 'after' | 'signal'>,
  ): AsyncGenerator<ReplayBatch> {
    return replayFork(this.events, prefix, options);
  }

  revision(signal?: AbortSignal): Promise<number> {
    return this.reader.revision(signal);
  }

  private get events(): { client: EtcdClient; fork: Fork; base: ForkBase } {
    return { client: this.client, fork: this.fork, base: this.base };
  }

  private refuseOlder({ freshness }: ReadOptions): void {
    const { created, name } = this.fork;
    if (freshness.kind !== 'exact' || freshness.revision >= created) return;
    const message = `the fork "${name}" begins at revision ${created}`;
    throw new StorageError('compacted', message, { revision: created });
  }
}

function requireRevision(verb: string, key: string, expected: number): void {
  if (Number.isSafeInteger(expected) && expected > 0) return;
  throw new StorageError('internal', `${verb} ${key}: ${expected} is not the revision of a state`);
}

const toKeyValue = ({
  value,
  revision,
  createRevision,
}: Entry): Parameters<typeof decodeOverlay>[1] => ({
  value,
  mod_revision: revision,
  create_revision: createRevision,
});
