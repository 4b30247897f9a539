import type { ICompare, IRequestOp } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';

/**
 * The revision below which history may be gone, as decimal text. Whoever wants a past revision to stay compares this
 * key in the transaction that writes the pin, and writes it anew; the compactor compares it too. So either the pin is
 * seen by the compactor or the compactor by the pin.
 */
export const FLOOR_KEY = '/orrery/floor';

const KEY = Buffer.from(FLOOR_KEY);

export interface Floor {
  /** 0 = nothing was ever compacted by us. */
  readonly revision: number;
  /** Holds while nobody has written the floor since it was read. */
  readonly unchanged: ICompare;
  /** Writes the floor, at `revision` when it is not given. */
  put(revision?: number): IRequestOp;
}

export async function readFloor(client: EtcdClient): Promise<Floor> {
  const { kvs } = await client.call({ kind: 'read', what: 'history floor' }, (etcd, options) =>
    etcd.kv.range({ key: KEY }, options),
  );
  const [found] = kvs;
  const read = Number(found?.value.toString() ?? 0);
  const revision = Number.isSafeInteger(read) && read > 0 ? read : 0;
  return {
    revision,
    unchanged: {
      key: KEY,
      target: 'Mod',
      result: 'Equal',
      mod_revision: found?.mod_revision ?? 0,
    },
    put: (next = revision) => ({ request_put: { key: KEY, value: Buffer.from(String(next)) } }),
  };
}
