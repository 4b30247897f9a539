import type { EtcdClient } from '../etcd3/etcd-client.js';
import type { FeedBatch } from '../etcd3/etcd-feed.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { StorageError } from '../storage-error.js';
import type { FeedFollower } from './cache-feeder.js';

/** Written whenever etcd got another past: by the restore of a snapshot (managed/begin-epoch.ts). */
export const EPOCH_KEY = '/orrery/epoch';

/**
 * The cluster's epoch, within which revisions are comparable. Its change makes the cache start over, and revisions
 * from before it are refused even where etcd still has a history for them: it is not the one they were read from.
 */
export class Epoch implements FeedFollower {
  /** The revision at which the present epoch began; 0 = it has always been. */
  private began = 0;
  private readonly reader: EtcdReader;

  constructor(client: EtcdClient) {
    this.reader = new EtcdReader(client);
  }

  async load(revision: number, signal: AbortSignal): Promise<void> {
    const freshness = { kind: 'exact', revision } as const;
    this.began = (await this.reader.get(EPOCH_KEY, { freshness, signal }))?.revision ?? 0;
  }

  apply({ events }: FeedBatch): void {
    const change = events.find(({ kv }) => kv.key.equals(KEY));
    if (!change) return;
    const revision = Number(change.kv.mod_revision);
    const message = `a new epoch begins at revision ${revision}: etcd was restored`;
    throw new StorageError('compacted', message, { revision });
  }

  reset(): void {
    // What is loaded next tells when the epoch began.
  }

  /** Throws 'compacted' for a revision of an earlier epoch. */
  requireCurrent(revision: number, what: string): void {
    if (revision >= this.began) return;
    const message = `${what}: revision ${revision} is of an earlier epoch, the present one began at ${this.began}`;
    throw new StorageError('compacted', message, { revision: this.began });
  }
}

const KEY = Buffer.from(EPOCH_KEY);
