import type { IEvent, IRangeResponse } from 'etcd3';

import { StorageError, isStorageError } from '../storage-error.js';
import type { EtcdClient } from './etcd-client.js';
import type { FeedBatch } from './etcd-feed.js';

/**
 * What a feed remembers of the history it has read, to find out after a broken stream whether etcd still has it. An
 * etcd restored from a snapshot would else be resumed in another past: its new revisions are skipped up to the old one.
 */
export class SeenPast {
  private last: IEvent | undefined;

  /** `revision`: one that etcd has had; 0 = none is known. */
  constructor(
    private readonly client: EtcdClient,
    private revision: number,
  ) {}

  saw({ events, revision }: FeedBatch): void {
    const last = events.at(-1);
    if (!last) return;
    this.last = last;
    this.revision = revision;
  }

  /** Throws 'compacted' when what was read is not in etcd's history any more. */
  async verify(signal: AbortSignal): Promise<void> {
    const { last } = this;
    const key = last?.kv.key ?? Buffer.from('/');
    // A range at revision 0 is one at the current revision.
    const revision = last ? Number(last.kv.mod_revision) : 0;
    try {
      const answer = await this.client.call(
        { kind: 'read', what: 'look for the last event seen' },
        (etcd, options) => etcd.kv.range({ key, revision, count_only: !last }, options),
        signal,
      );
      if (Number(answer.header.revision) >= this.revision && (!last || isSame(last, answer)))
        return;
    } catch (error) {
      // Compacted up to here or further: the watch itself finds out which.
      if (isStorageError(error, 'compacted')) return;
      if (!isStorageError(error, 'futureRevision')) throw error;
    }
    const message = `etcd has another history than the one that was read up to revision ${this.revision}: it was restored`;
    throw new StorageError('compacted', message, { revision: this.revision });
  }
}

/** Whether the event left behind the state found at its revision. */
function isSame({ type, kv }: IEvent, { kvs }: IRangeResponse): boolean {
  const [found] = kvs;
  if (type === 'Delete') return found === undefined;
  return found?.mod_revision === kv.mod_revision && found.value.equals(kv.value);
}
