import type { EtcdClient } from '../etcd3/etcd-client.js';
import { CAUSE_KEY, decodeCause } from './cause-record.js';
import type { Cause } from './cause-record.js';

const KEY = Buffer.from(CAUSE_KEY);

/** Reads the causes of writes from etcd's history. */
export class CauseReader {
  constructor(private readonly client: EtcdClient) {}

  /** The cause of exactly this revision's write; undefined when it recorded none. Throws 'compacted'. */
  async of(revision: number, signal?: AbortSignal): Promise<Cause | undefined> {
    const newest = await this.newest(revision, signal);
    return newest?.revision === revision ? newest : undefined;
  }

  /** The newest cause recorded at or before this revision (default: now). Throws 'compacted'. */
  async newest(revision?: number, signal?: AbortSignal): Promise<Cause | undefined> {
    const { kvs } = await this.client.call(
      { kind: 'read', what: `cause of revision ${revision ?? 'now'}` },
      (etcd, options) =>
        etcd.kv.range({ key: KEY, ...(revision === undefined ? {} : { revision }) }, options),
      signal,
    );
    const [found] = kvs;
    if (!found) return undefined;
    return { ...decodeCause(found.value), revision: Number(found.mod_revision) };
  }
}
