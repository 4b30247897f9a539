import type { IRequestOp } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { EPOCH_KEY } from '../watch-cache/epoch.js';

export interface BeginEpochOptions {
  /** The newest revision that any client can have seen before. */
  readonly above: number;
  readonly signal?: AbortSignal;
  /** Told the current revision now and then. */
  readonly onProgress?: (revision: number) => void;
}

/** Each put of it is a revision; it is gone when the epoch begins. */
const PAD_KEY = Buffer.from('/orrery/epoch-pad');
const PAD: IRequestOp = { request_put: { key: PAD_KEY, value: Buffer.alloc(0) } };
const MOST_IN_FLIGHT = 256;
const PROGRESS_EVERY = 5000;

/**
 * Begins a new epoch after etcd was restored from a snapshot: writes revisions of no meaning until every old one is
 * passed, and compacts them, so that no client that resumes at an old revision is given another past. Answers the
 * epoch's first revision. What etcdutl 3.6 calls `--bump-revision --mark-compacted`, on any etcd.
 */
export async function beginEpoch(client: EtcdClient, options: BeginEpochOptions): Promise<number> {
  const { above, signal, onProgress } = options;
  const revisionOf = async (ops: readonly IRequestOp[]): Promise<number> => {
    const operation = { kind: 'write', what: 'begin an epoch at', key: EPOCH_KEY } as const;
    const { header } = await client.call(
      operation,
      (etcd, call) => etcd.kv.txn({ compare: [], success: [...ops], failure: [] }, call),
      signal,
    );
    return Number(header.revision);
  };
  let revision = await new EtcdReader(client).revision(signal);
  let missing = above - revision;
  let told = revision;
  const passOne = async (): Promise<void> => {
    while (missing-- > 0) {
      revision = Math.max(revision, await revisionOf([PAD]));
      if (revision - told < PROGRESS_EVERY) continue;
      told = revision;
      onProgress?.(revision);
    }
  };
  await Promise.all(Array.from({ length: MOST_IN_FLIGHT }, passOne));
  const value = { above, began: new Date(client.clock.now()).toISOString() };
  const first = await revisionOf([
    { request_delete_range: { key: PAD_KEY } },
    { request_put: { key: Buffer.from(EPOCH_KEY), value: Buffer.from(JSON.stringify(value)) } },
  ]);
  await client.compact(first);
  return first;
}
