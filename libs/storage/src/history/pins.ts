import type { IKeyValue } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { prefixEnd } from '../etcd3/key-range.js';
import { StorageError } from '../storage-error.js';
import { readFloor } from './floor.js';

/** Where pins are kept; forks write theirs below it too, in the transaction that makes the fork. */
export const PIN_PREFIX = '/orrery/pins/';

/** What a pin's value holds, as JSON. */
export interface PinRecord {
  /** The oldest revision that its owner still needs. */
  readonly revision: number;
  /** Who wants it, in words: shown when the pin holds compaction up, or has to go. */
  readonly owner: string;
  /** Milliseconds since the epoch at which it was made. */
  readonly time: number;
  /** … at which it ends by itself. Absent = it stays until it is released. */
  readonly deadline?: number;
}

/** A revision that compaction must not pass. */
export interface Pin extends PinRecord {
  readonly id: string;
  /** etcd's revision of the pin itself. */
  readonly modRevision: number;
}

const MOST_TRIES = 10;
const ID = /^[\w.:@-]{1,200}$/;

const keyOf = (id: string): Buffer => Buffer.from(`${PIN_PREFIX}${id}`);

function decode({ key, value, mod_revision }: IKeyValue): Pin | undefined {
  try {
    const record = JSON.parse(value.toString()) as Partial<PinRecord> | null;
    const { revision, owner = '', time = 0, deadline } = record ?? {};
    if (typeof revision !== 'number') return undefined;
    return {
      id: key.toString().slice(PIN_PREFIX.length),
      revision,
      owner,
      time,
      ...(typeof deadline === 'number' ? { deadline } : {}),
      modRevision: Number(mod_revision),
    };
  } catch {
    return undefined;
  }
}

/** Keeps revisions of the past from being compacted away. */
export class Pins {
  constructor(private readonly client: EtcdClient) {}

  /** Every pin whose deadline has not passed, oldest revision first. */
  async live(now: number): Promise<Pin[]> {
    return (await this.all()).filter(({ deadline = Infinity }) => deadline > now);
  }

  /** Every pin that is stored, oldest revision first. */
  async all(): Promise<Pin[]> {
    const { kvs } = await this.client.call({ kind: 'read', what: 'pins' }, (etcd, options) =>
      etcd.kv.range({ key: keyOf(''), range_end: prefixEnd(PIN_PREFIX) }, options),
    );
    return kvs.flatMap((one) => decode(one) ?? []).sort((a, b) => a.revision - b.revision);
  }

  /**
   * Makes or renews the pin `id`: from now on the state at its revision stays readable. Throws 'compacted', with the
   * oldest revision left, when it is too late for that.
   */
  async create(id: string, record: PinRecord): Promise<Pin> {
    if (!ID.test(id)) throw new StorageError('internal', `${JSON.stringify(id)} is no id of a pin`);
    const value = Buffer.from(JSON.stringify(record));
    for (let tried = 1; tried <= MOST_TRIES; tried++) {
      const floor = await readFloor(this.client);
      if (record.revision < floor.revision) throw tooLate(record.revision, floor.revision);
      const key = keyOf(id);
      const response = await this.client.call(
        { kind: 'write', what: 'pin', key: id },
        (etcd, options) =>
          etcd.kv.txn(
            {
              compare: [floor.unchanged],
              success: [{ request_put: { key, value } }, floor.put()],
              failure: [],
            },
            options,
          ),
      );
      if (response.succeeded)
        return { ...record, id, modRevision: Number(response.header.revision) };
    }
    throw new StorageError('unavailable', 'the history floor keeps moving; nothing was pinned');
  }

  /** Removes the pin; false = there was none, or it is not the state given any more. */
  async release(id: string, modRevision?: number): Promise<boolean> {
    const key = keyOf(id);
    const response = await this.client.call(
      { kind: 'write', what: 'release pin', key: id },
      (etcd, options) =>
        etcd.kv.txn(
          {
            compare:
              modRevision === undefined
                ? [{ key, target: 'Create', result: 'Greater', create_revision: 0 }]
                : [{ key, target: 'Mod', result: 'Equal', mod_revision: modRevision }],
            success: [{ request_delete_range: { key } }],
            failure: [],
          },
          options,
        ),
    );
    return response.succeeded;
  }
}

const tooLate = (revision: number, oldest: number): StorageError =>
  new StorageError(
    'compacted',
    `revision ${revision} is no longer in the history: the oldest left is ${oldest}`,
    { revision: oldest },
  );
