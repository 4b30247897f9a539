import type { IKeyValue, IRangeRequest } from 'etcd3';

import { CAUSE_KEY } from '../cause/cause-record.js';
import type { EtcdClient } from '../etcd3/etcd-client.js';
import { prefixEnd } from '../etcd3/key-range.js';

/** What etcd still remembers. */
export interface HistoryRange {
  /** The oldest revision that can be read. */
  readonly oldest: number;
  /** The newest one. */
  readonly current: number;
}

/** A revision whose time is known. */
export interface TimedRevision {
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Reads a time as JSON holds it: RFC 3339, or milliseconds since the epoch. */
export function parseTime(value: unknown): number | undefined {
  const time =
    typeof value === 'number' ? value : Date.parse(typeof value === 'string' ? value : '');
  return Number.isFinite(time) ? time : undefined;
}

const decode = (value: Buffer): unknown => {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** When a cause was recorded. */
export function causeTime(value: Buffer): number | undefined {
  return parseTime((decode(value) as { time?: unknown } | null | undefined)?.time);
}

/** When a Lease was renewed: what tells the time where no cause was recorded. */
export function renewTime(value: Buffer): number | undefined {
  const lease = decode(value) as { spec?: { renewTime?: unknown } } | null | undefined;
  return parseTime(lease?.spec?.renewTime);
}

/**
 * Tells when revisions were written: by the cause that each write records, and where there is none by the newest
 * renewal of a Lease, which a cluster has every few seconds.
 */
export class RevisionTimes {
  constructor(
    private readonly client: EtcdClient,
    private readonly keyspace: string,
  ) {}

  /** The newest revision at or before `revision` whose time is known. Throws 'compacted'. */
  async before(revision: number): Promise<TimedRevision | undefined> {
    const [cause, renewal] = await Promise.all([
      this.last({ key: Buffer.from(CAUSE_KEY) }, revision, causeTime),
      this.lastRenewal(revision),
    ]);
    if (!cause || !renewal) return cause ?? renewal;
    return renewal.revision > cause.revision ? renewal : cause;
  }

  /**
   * The last revision of the state at `time`: everything written up to then, nothing known to be written later.
   * Undefined when `time` lies before the first revision from `oldest` on whose time is known.
   */
  async at(time: number, { oldest, current }: HistoryRange): Promise<number | undefined> {
    let low = oldest - 1;
    let high = current;
    let isKnown = false;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const known = await this.before(middle);
      if (known && known.time > time) high = Math.min(middle, known.revision) - 1;
      else {
        low = middle;
        isKnown = known !== undefined;
      }
    }
    return isKnown ? low : undefined;
  }

  private lastRenewal(revision: number): Promise<TimedRevision | undefined> {
    const prefix = `${this.keyspace}leases/`;
    const range = { key: Buffer.from(prefix), range_end: prefixEnd(prefix) };
    return this.last({ ...range, sort_target: 'Mod', sort_order: 'Descend' }, revision, renewTime);
  }

  private async last(
    range: IRangeRequest,
    revision: number,
    timeOf: (value: Buffer) => number | undefined,
  ): Promise<TimedRevision | undefined> {
    const response = await this.client.call(
      { kind: 'read', what: `time of revision ${revision}` },
      (etcd, options) => etcd.kv.range({ ...range, revision, limit: 1 }, options),
    );
    const [found]: (IKeyValue | undefined)[] = response.kvs;
    const time = found && timeOf(found.value);
    return found && time !== undefined ? { revision: Number(found.mod_revision), time } : undefined;
  }
}
