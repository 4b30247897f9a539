import type { ICompare, IRequestOp } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { prefixEnd } from '../etcd3/key-range.js';
import { StorageError } from '../storage-error.js';
import { EPOCH_KEY } from '../watch-cache/epoch.js';
import { encodeForkRecord, forkPinId, forkRecordKey, overlayKey } from './fork-record.js';
import type { Fork, ForkRecord } from './fork-record.js';

/** The oldest revision that may still be compacted away; compactor and forks compare it in their transactions. */
const FLOOR_KEY = Buffer.from('/orrery/floor');
const EPOCH = Buffer.from(EPOCH_KEY);

/** The key of the pin that keeps a fork's base from being compacted. */
export const pinKeyOf = ({ uid }: Pick<ForkRecord, 'uid'>): string =>
  `/orrery/pins/${forkPinId(uid)}`;

const MOST_TRIES = 5;

const range = (key: Buffer): IRequestOp => ({ request_range: { key } });
const put = (key: Buffer, value: Buffer): IRequestOp => ({ request_put: { key, value } });

interface Ground {
  readonly floor: Buffer;
  readonly epoch: number;
  readonly compare: readonly ICompare[];
}

/** What a fork's creation relies on, and the compares by which it still holds when the fork is written. */
async function ground(client: EtcdClient): Promise<Ground> {
  const { responses } = await client.call({ kind: 'read', what: 'history floor' }, (etcd, call) =>
    etcd.kv.txn({ compare: [], success: [range(FLOOR_KEY), range(EPOCH)], failure: [] }, call),
  );
  const [floor, epoch] = responses.map((each) => each.response_range.kvs[0]);
  const unchanged = (key: Buffer, revision: string | undefined): ICompare => ({
    key,
    target: 'Mod',
    result: 'Equal',
    mod_revision: revision ?? 0,
  });
  return {
    floor: floor?.value ?? Buffer.from('0'),
    epoch: Number(epoch?.mod_revision ?? 0),
    compare: [unchanged(FLOOR_KEY, floor?.mod_revision), unchanged(EPOCH, epoch?.mod_revision)],
  };
}

/**
 * Writes the record of a fork and the pin of its base in one transaction, which also touches the floor: a compactor
 * that has looked at the pins before finds it changed and looks again. Throws 'exists', and 'compacted' for a base
 * that is below the floor.
 */
export async function createFork(
  client: EtcdClient,
  wanted: Omit<ForkRecord, 'epoch'>,
): Promise<Fork> {
  const key = Buffer.from(forkRecordKey(wanted.name));
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const { floor, epoch, compare } = await ground(client);
    const oldest = Number(floor.toString());
    if (wanted.base < oldest) throw tooOld(wanted, oldest);
    const record: ForkRecord = { ...wanted, epoch };
    const pin = { revision: wanted.base, owner: `fork ${wanted.name}`, time: wanted.time };
    const response = await client.call(
      { kind: 'write', what: 'create fork', key: wanted.name },
      (etcd, call) =>
        etcd.kv.txn(
          {
            compare: [...compare, { key, target: 'Create', result: 'Equal', create_revision: 0 }],
            success: [
              put(key, encodeForkRecord(record)),
              put(Buffer.from(pinKeyOf(wanted)), Buffer.from(JSON.stringify(pin))),
              put(FLOOR_KEY, floor),
            ],
            failure: [range(key)],
          },
          call,
        ),
    );
    if (response.succeeded) return { ...record, created: Number(response.header.revision) };
    if (response.responses[0]?.response_range.kvs[0])
      throw new StorageError('exists', `a fork "${wanted.name}" exists already`);
  }
  throw new StorageError('unavailable', 'the history floor keeps moving; nothing was written');
}

export function tooOld({ base }: Pick<ForkRecord, 'base'>, oldest: number): StorageError {
  const message = `revision ${base} is no longer in the history: the oldest left is ${oldest}`;
  return new StorageError('compacted', message, { revision: oldest });
}

/** Removes the record, the pin and every key of the fork's own at one revision; false = it was gone already. */
export async function removeFork(
  client: EtcdClient,
  fork: Pick<Fork, 'name' | 'uid' | 'created'>,
): Promise<boolean> {
  const record = Buffer.from(forkRecordKey(fork.name));
  const root = overlayKey(fork.name, '/');
  const { succeeded } = await client.call(
    { kind: 'write', what: 'remove fork', key: fork.name },
    (etcd, call) =>
      etcd.kv.txn(
        {
          compare: [
            { key: record, target: 'Create', result: 'Equal', create_revision: fork.created },
          ],
          // The record first: who follows the fork knows by it that what comes then are no deletions of objects.
          success: [
            { request_delete_range: { key: record } },
            { request_delete_range: { key: Buffer.from(pinKeyOf(fork)) } },
            { request_delete_range: { key: Buffer.from(root), range_end: prefixEnd(root) } },
          ],
          failure: [],
        },
        call,
      ),
  );
  return succeeded;
}
