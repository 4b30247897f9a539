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

const MOST_IN_FLIGHT = 256;
const PROGRESS_EVERY = 5000;

/**
 * Begins a new epoch after etcd was restored from a snapshot: writes revisions of no meaning until every old one is
 * passed, and compacts them, so that no client that resumes at an old revision is given another past. Answers the
 * epoch's first revision. What etcdutl 3.6 calls `--bump-revision --mark-compacted`, on any etcd.
 */
export async function beginEpoch(client: EtcdClient, options: BeginEpochOptions): Promise<number> {
  const { above, signal, onProgress } = options;
  const key = Buffer.from(EPOCH_KEY);
  const value = Buffer.from(
    JSON.stringify({ above, began: new Date(client.clock.now()).toISOString() }),
  );
  const put = async (): Promise<number> => {
    const operation = { kind: 'write', what: 'begin an epoch at', key: EPOCH_KEY } as const;
    const { header } = await client.call(
      operation,
      (etcd, call) => etcd.kv.put({ key, value }, call),
      signal,
    );
    return Number(header.revision);
  };
  let revision = await new EtcdReader(client).revision(signal);
  let missing = above - revision;
  let told = revision;
  const passOne = async (): Promise<void> => {
    while (missing-- > 0) {
      revision = Math.max(revision, await put());
      if (revision - told < PROGRESS_EVERY) continue;
      told = revision;
      onProgress?.(revision);
    }
  };
  await Promise.all(Array.from({ length: MOST_IN_FLIGHT }, passOne));
  const first = await put();
  await client.compact(first);
  return first;
}
