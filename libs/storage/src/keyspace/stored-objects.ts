import type { IRequestOp } from 'etcd3';
import type { EtcdClient } from '../etcd3/etcd-client.js';
import { EtcdStorage } from '../etcd3/etcd-storage.js';

/** A key below a keyspace, without the keyspace's own prefix, and the stored JSON. */
export interface StoredObject {
  readonly key: string;
  readonly value: string;
}

/** etcd takes 128 operations in a transaction unless told otherwise. */
const BATCH = 100;

/** The objects of a keyspace as they are now, in key order. */
export async function readKeyspace(client: EtcdClient, keyspace: string): Promise<StoredObject[]> {
  const { entries } = await new EtcdStorage({ client, keyspace }).list(keyspace, {
    freshness: { kind: 'consistent' },
  });
  return entries.map(({ key, value }) => ({
    key: key.slice(keyspace.length),
    value: value.toString('utf8'),
  }));
}

/** Puts objects into a keyspace that nobody uses yet, in as few transactions as etcd allows; it overwrites. */
export async function fillKeyspace(
  client: EtcdClient,
  keyspace: string,
  objects: readonly StoredObject[],
): Promise<void> {
  const puts: IRequestOp[] = objects.map(({ key, value }) => ({
    request_put: { key: Buffer.from(keyspace + key), value: Buffer.from(value) },
  }));
  const batches = Array.from({ length: Math.ceil(puts.length / BATCH) }, (_, i) =>
    puts.slice(i * BATCH, (i + 1) * BATCH),
  );
  // At once: etcd writes to disk once for all that it has then.
  await Promise.all(
    batches.map((success) =>
      client.call({ kind: 'write', what: 'fill', key: keyspace }, (etcd, options) =>
        etcd.kv.txn({ compare: [], success, failure: [] }, options),
      ),
    ),
  );
}
