import type { EtcdStorage } from '../etcd3/etcd-storage.js';
import { futureRevision } from '../etcd3/etcd-reader.js';
import { StorageError } from '../storage-error.js';
import type {
  Entry,
  Freshness,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchOptions,
  WatchStream,
} from '../storage.js';
import { replay } from './replay.js';
import type { ReplayOptions } from './replay.js';
import type { RevisionTimes } from './revision-times.js';

/**
 * The object store as it was at one revision: reads are etcd's own, at that revision of its history; whatever lies
 * behind it is the future. A watch replays what happened since, and goes on with what happens. It cannot be written.
 */
export class PastStorage implements Storage {
  constructor(
    private readonly storage: EtcdStorage,
    /** The revision that this is the state of. */
    readonly at: number,
    private readonly times: RevisionTimes,
    private readonly replayed: ReplayOptions = {},
  ) {}

  create(key: string): Promise<Entry> {
    return Promise.reject(this.readOnly('create', key));
  }

  update(key: string): Promise<Entry> {
    return Promise.reject(this.readOnly('update', key));
  }

  delete(key: string): Promise<Entry> {
    return Promise.reject(this.readOnly('delete', key));
  }

  async get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    const freshness = this.freshnessOf(`get ${key}`, options.freshness);
    return this.storage.get(key, { ...options, freshness });
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const freshness = this.freshnessOf(`list ${prefix}`, options.freshness);
    return this.storage.list(prefix, { ...options, freshness });
  }

  /** Events behind `after`, which may lie before or behind this storage's revision: replayed, then live. */
  async *watch(prefix: string, options: WatchOptions): WatchStream {
    const { client, keyspace } = this.storage;
    const { speed = 0, until } = this.replayed;
    if (speed === 0 && until === undefined) {
      yield* this.storage.watch(prefix, options);
      return;
    }
    const startedAt = speed > 0 ? (await this.times.before(options.after))?.time : undefined;
    const pace = { ...this.replayed, prefix, leases: `${keyspace}leases/`, startedAt };
    yield* replay(client, pace, options);
  }

  revision(): Promise<number> {
    return Promise.resolve(this.at);
  }

  private freshnessOf(what: string, freshness: Freshness): Freshness & { kind: 'exact' } {
    const isBound = freshness.kind === 'exact' || freshness.kind === 'notOlderThan';
    if (isBound && freshness.revision > this.at)
      throw futureRevision(what, freshness.revision, this.at);
    return freshness.kind === 'exact' ? freshness : { kind: 'exact', revision: this.at };
  }

  private readOnly(verb: string, key: string): StorageError {
    return new StorageError(
      'internal',
      `${verb} ${key}: this is the state at revision ${this.at}, which cannot be written`,
      { key },
    );
  }
}
