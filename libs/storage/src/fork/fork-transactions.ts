import { toTime } from '@orrery/component';
import type { ICompare, IRequestOp } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { prefixEnd } from '../etcd3/key-range.js';
import { readFloor } from '../history/floor.js';
import { PIN_PREFIX } from '../history/pins.js';
import type { PinRecord } from '../history/pins.js';
import { StorageError } from '../storage-error.js';
import { EPOCH_KEY } from '../watch-cache/epoch.js';
import { encodeForkRecord, forkPinId, forkRecordKey, overlayKey } from './fork-record.js';
import type { Fork, ForkRecord } from './fork-record.js';

const EPOCH = Buffer.from(EPOCH_KEY);

/** The key of the pin that keeps a fork's base from being compacted. */
export const pinKeyOf = ({ uid }: Pick<ForkRecord, 'uid'>): string =>
  `${PIN_PREFIX}${forkPinId(uid)}`;

const MOST_TRIES = 5;

const range = (key: Buffer): IRequestOp => ({ request_range: { key } });
const put = (key: Buffer, value: Buffer): IRequestOp => ({ request_put: { key, value } });

interface Epoch {
  /** The revision at which it began; 0 = it has always been. */
  readonly began: number;
  /** Holds while it lasts. */
  readonly unchanged: ICompare;
}

async function readEpoch(client: EtcdClient): Promise<Epoch> {
  const { kvs } = await client.call({ kind: 'read', what: 'epoch' }, (etcd, options) =>
    etcd.kv.range({ key: EPOCH }, options),
  );
  const revision = kvs[0]?.mod_revision ?? 0;
  const compare = { target: 'Mod', result: 'Equal' } as const;
  return {
    began: Number(revision),
    unchanged: { key: EPOCH, ...compare, mod_revision: revision },
  };
}

/**
 * Writes the record of a fork and the pin of its base in one transaction, which also touches the floor: a compactor
 * that has looked at the pins before finds it changed and looks again. Throws 'exists', and 'compacted' for a base
 * that is below the floor.
 */
export async function createFork(
  client: EtcdClient,
  wanted: Omit<ForkRecord, 'epoch' | 'time'>,
): Promise<Fork> {
  const key = Buffer.from(forkRecordKey(wanted.name));
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const [floor, epoch] = await Promise.all([readFloor(client), readEpoch(client)]);
    if (wanted.base < floor.revision) throw tooOld(wanted, floor.revision);
    const now = client.clock.now();
    const record: ForkRecord = { ...wanted, epoch: epoch.began, time: toTime(now) };
    const pin: PinRecord = { revision: wanted.base, owner: `fork ${wanted.name}`, time: now };
    const response = await client.call(
      { kind: 'write', what: 'create fork', key: wanted.name },
      (etcd, call) =>
        etcd.kv.txn(
          {
            compare: [
              floor.unchanged,
              epoch.unchanged,
              { key, target: 'Create', result: 'Equal', create_revision: 0 },
            ],
            success: [
              put(key, encodeForkRecord(record)),
              put(Buffer.from(pinKeyOf(wanted)), Buffer.from(JSON.stringify(pin))),
              floor.put(),
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
