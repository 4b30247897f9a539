import type { EtcdClient } from '../etcd3/etcd-client.js';
import type { EtcdStorage } from '../etcd3/etcd-storage.js';
import { isStorageError } from '../storage-error.js';
import { PastStorage } from './past-storage.js';
import type { ReplayOptions } from './replay.js';
import { RevisionTimes } from './revision-times.js';
import type { HistoryRange, TimedRevision } from './revision-times.js';

/** The past of one keyspace, as far as it has not been compacted away. */
export class History {
  readonly times: RevisionTimes;
  private readonly client: EtcdClient;
  /** The oldest revision known to be there; it only grows. */
  private knownOldest = 1;

  constructor(private readonly storage: EtcdStorage) {
    this.client = storage.client;
    this.times = new RevisionTimes(storage.client, storage.keyspace);
  }

  /** The object store as of a revision, which should lie within {@link range}. */
  at(revision: number, replay?: ReplayOptions): PastStorage {
    return new PastStorage(this.storage, revision, this.times, replay);
  }

  /** The current revision, by quorum. */
  current(): Promise<number> {
    return this.storage.revision();
  }

  /** Whether a revision can still be read. */
  async has(revision: number): Promise<boolean> {
    try {
      await this.client.call({ kind: 'read', what: `revision ${revision}` }, (etcd, options) =>
        etcd.kv.range({ key: Buffer.from('/'), count_only: true, revision }, options),
      );
      return true;
    } catch (error) {
      if (isStorageError(error, 'compacted')) return false;
      throw error;
    }
  }

  /** etcd does not tell how far back it remembers: the oldest revision is searched for. */
  async range(): Promise<HistoryRange> {
    const current = await this.current();
    if (!(await this.has(this.knownOldest))) {
      let [low, high] = [this.knownOldest, current];
      while (low + 1 < high) {
        const middle = Math.floor((low + high) / 2);
        if (await this.has(middle)) high = middle;
        else low = middle;
      }
      this.knownOldest = high;
    }
    return { oldest: this.knownOldest, current };
  }

  /** The last revision of the state at a time; undefined when that is before all whose time is known. */
  async revisionAt(time: number): Promise<number | undefined> {
    return this.times.at(time, await this.range());
  }

  /** When the state at a revision came to be, as far as that is known. */
  timeOf(revision: number): Promise<TimedRevision | undefined> {
    return this.times.before(revision);
  }
}
