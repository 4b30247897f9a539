import type { IEvent, IKeyValue, IRangeRequest, IRangeResponse, IRequestOp } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { feed } from '../etcd3/etcd-feed.js';
import { ALL_KEYS, keyAfter, prefixEnd } from '../etcd3/key-range.js';
import { isStorageError } from '../storage-error.js';
import { CAUSE_KEY, decodeCause } from './cause-record.js';
import type { Cause } from './cause-record.js';

/** What one revision did to one key. */
export interface KeyChange {
  readonly key: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state after; absent when deleted. */
  readonly value?: Buffer;
  /** The state before, as far as it was not compacted away. */
  readonly previous?: Buffer;
  /** When that state was written. */
  readonly previousRevision?: number;
}

/** Everything that one revision did, and why. */
export interface RevisionRecord {
  readonly revision: number;
  readonly changes: readonly KeyChange[];
  readonly cause?: Cause;
  /** Only the state is left: its cause and what was before are compacted away. */
  readonly isCompacted?: true;
}

/** The state of a key at some moment. */
export interface KeyState {
  readonly key: string;
  readonly revision: number;
  readonly value: Buffer;
}

/** Revisions greater than `after`, up to `to`. */
export interface RevisionSpan {
  readonly after: number;
  readonly to: number;
}

/** Some revisions in order; nothing at or below `revision` will follow. */
export interface LogBatch {
  readonly records: readonly RevisionRecord[];
  readonly revision: number;
}

const CAUSE = Buffer.from(CAUSE_KEY);
const PAGE_KEYS = 2000;
/** Revisions that etcd replays to a watch at a time (etcd mvcc/watcher_group.go:watchBatchMaxRevs). */
const SPAN = 1000;
const FEWEST_SPANS = 4;
const MOST_SPANS = 64;

/** Reads what was written, by whom and why, from etcd's history. Throws 'compacted' for what is gone. */
export class WriteLog {
  constructor(private readonly client: EtcdClient) {}

  /** All revisions behind `after`; goes on until the signal aborts. */
  async *since(after: number, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const options = { range: ALL_KEYS, after, previous: true, signal };
    for await (const batch of feed(this.client, options))
      yield { records: toRecords(batch.events), revision: batch.revision };
  }

  /** The revisions behind `after` up to `to`, which must not lie in the future. */
  async *between(
    { after, to }: RevisionSpan,
    signal?: AbortSignal,
  ): AsyncGenerator<RevisionRecord> {
    if (after >= to) return;
    const stop = new AbortController();
    const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    try {
      for await (const { records, revision } of this.since(after, until)) {
        for (const record of records) if (record.revision <= to) yield record;
        if (revision >= to) return;
      }
    } finally {
      stop.abort();
    }
  }

  /**
   * The cause of the last write of a key behind `after` up to `to`, which may be its deletion: found by reading the
   * causes of that time, which are small. etcd replays 1,000 revisions at a time to each watch, so several are used.
   */
  async lastCauseOf(
    key: string,
    { after, to }: RevisionSpan,
    signal?: AbortSignal,
  ): Promise<Cause | undefined> {
    let end = to;
    for (let count = FEWEST_SPANS; end > after; count = Math.min(count * 2, MOST_SPANS)) {
      const spans = Array.from({ length: count }, (_, i) => ({
        after: Math.max(after, end - SPAN * (i + 1)),
        to: end - SPAN * i,
      })).filter((span) => span.to > span.after);
      const found = await Promise.all(spans.map((span) => this.causeIn(key, span, signal)));
      const newest = found.find((cause) => cause !== undefined);
      if (newest) return newest;
      end -= SPAN * count;
    }
    return undefined;
  }

  /** What the revision did; undefined when it lies in the future. */
  async at(revision: number, signal?: AbortSignal): Promise<RevisionRecord | undefined> {
    for await (const record of this.between({ after: revision - 1, to: revision }, signal))
      return record;
    return undefined;
  }

  /** The last write of the key at or before `revision` (default: now); undefined when the key is not there then. */
  async newest(
    key: string,
    revision?: number,
    signal?: AbortSignal,
  ): Promise<RevisionRecord | undefined> {
    for await (const record of this.back(key, revision, signal)) return record;
    return undefined;
  }

  /**
   * The writes of the key from the one before or at `revision` back to its creation, newest first. A last one without
   * `previous` that is not its creation: what was before is compacted away.
   */
  async *back(
    key: string,
    revision?: number,
    signal?: AbortSignal,
  ): AsyncGenerator<RevisionRecord> {
    const [first] = await this.states([rangeOf(key, revision)], `state of ${key}`, signal);
    let state = first;
    while (state) {
      const { before, ...rest } = await this.behind(state, signal);
      yield { ...toRecord(state, before), ...rest };
      state = before;
    }
  }

  /** The keys below `prefix` at a revision and when each was last written, page by page. */
  async *keys(
    prefix: string,
    revision: number,
    signal?: AbortSignal,
  ): AsyncGenerator<ReadonlyMap<string, number>> {
    let from: Buffer = Buffer.from(prefix);
    for (;;) {
      const { kvs, more } = await this.range(
        { key: from, range_end: prefixEnd(prefix), revision, limit: PAGE_KEYS, keys_only: true },
        `keys of ${prefix}`,
        signal,
      );
      yield new Map(kvs.map((kv) => [kv.key.toString(), Number(kv.mod_revision)]));
      const last = kvs.at(-1);
      if (!more || !last) return;
      from = keyAfter(last.key.toString());
    }
  }

  /** The state of a key at a revision. */
  async state(key: string, revision: number, signal?: AbortSignal): Promise<KeyState | undefined> {
    const { kvs } = await this.range(
      { key: Buffer.from(key), revision },
      `state of ${key}`,
      signal,
    );
    return kvs.map(toState)[0];
  }

  /** What below `prefix` was written behind `after` and still stands at `to`: oldest write first, 2,000 at most. */
  async changed(
    prefix: string,
    { after, to }: RevisionSpan,
    signal?: AbortSignal,
  ): Promise<KeyState[]> {
    const { kvs } = await this.range(
      {
        key: Buffer.from(prefix),
        range_end: prefixEnd(prefix),
        revision: to,
        min_mod_revision: String(after + 1),
        limit: PAGE_KEYS,
        sort_target: 'Mod',
        sort_order: 'Ascend',
      },
      `changes below ${prefix}`,
      signal,
    );
    return kvs.map(toState);
  }

  /** The cause of the last write of a key in a span that is short. */
  private async causeIn(
    key: string,
    { after, to }: RevisionSpan,
    signal?: AbortSignal,
  ): Promise<Cause | undefined> {
    const [last] = await this.states([rangeOf(CAUSE_KEY, to)], 'newest cause', signal);
    if (!last || last.revision <= after) return undefined;
    const stop = new AbortController();
    const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const options = { range: { key: CAUSE }, after, previous: false, signal: until };
    const needle = Buffer.from(JSON.stringify(key));
    let found: Cause | undefined;
    try {
      for await (const { events, revision } of feed(this.client, options)) {
        for (const { kv } of events) {
          const at = Number(kv.mod_revision);
          if (at > to || !kv.value.includes(needle)) continue;
          const cause = toCause({ value: kv.value, revision: at });
          if (cause?.key === key) found = cause;
        }
        if (revision >= last.revision) break;
      }
    } finally {
      stop.abort();
    }
    return found;
  }

  /** The cause of a state, and the state before it. */
  private async behind(
    { key, revision, isFirst }: FoundState,
    signal?: AbortSignal,
  ): Promise<Pick<RevisionRecord, 'cause' | 'isCompacted'> & { before?: FoundState }> {
    const asked = rangeOf(CAUSE_KEY, revision);
    const what = `state of ${key} before revision ${revision}`;
    const found =
      (isFirst
        ? undefined
        : await this.statesLeft([asked, rangeOf(key, revision - 1)], what, signal)) ??
      (await this.statesLeft([asked], what, signal));
    if (!found) return { isCompacted: true };
    const [record, before] = found;
    const cause = record?.revision === revision ? toCause(record) : undefined;
    return { ...(cause ? { cause } : {}), ...(before ? { before } : {}) };
  }

  /** Several reads in one round trip; undefined when one of them is compacted away. */
  private async statesLeft(
    requests: readonly IRangeRequest[],
    what: string,
    signal?: AbortSignal,
  ): Promise<(FoundState | undefined)[] | undefined> {
    try {
      return await this.states(requests, what, signal);
    } catch (error) {
      if (isStorageError(error, 'compacted')) return undefined;
      throw error;
    }
  }

  /** Several reads of single keys in one round trip. */
  private async states(
    requests: readonly IRangeRequest[],
    what: string,
    signal?: AbortSignal,
  ): Promise<(FoundState | undefined)[]> {
    const success: IRequestOp[] = requests.map((request) => ({ request_range: request }));
    const response = await this.client.call(
      { kind: 'read', what },
      (etcd, options) => etcd.kv.txn({ compare: [], success, failure: [] }, options),
      signal,
    );
    return response.responses.map(({ response_range: { kvs } }) => kvs.map(toFound)[0]);
  }

  private range(
    request: IRangeRequest,
    what: string,
    signal?: AbortSignal,
  ): Promise<IRangeResponse> {
    return this.client.call(
      { kind: 'read', what },
      (etcd, options) => etcd.kv.range(request, options),
      signal,
    );
  }
}

interface FoundState extends KeyState {
  /** The state that the key was created with. */
  readonly isFirst: boolean;
}

const rangeOf = (key: string, revision?: number): IRangeRequest => ({
  key: Buffer.from(key),
  ...(revision === undefined ? {} : { revision }),
});

const toState = ({ key, mod_revision, value }: IKeyValue): KeyState => ({
  key: key.toString(),
  revision: Number(mod_revision),
  value,
});

const toFound = (kv: IKeyValue): FoundState => ({
  ...toState(kv),
  isFirst: kv.create_revision === kv.mod_revision,
});

function toCause({ value, revision }: Pick<KeyState, 'value' | 'revision'>): Cause | undefined {
  try {
    return { ...decodeCause(value), revision };
  } catch {
    // One record that somebody else wrote must not hide all others.
    return undefined;
  }
}

function toRecord(
  { key, revision, value, isFirst }: FoundState,
  before: FoundState | undefined,
): RevisionRecord {
  const change: KeyChange = {
    key,
    type: isFirst ? 'ADDED' : 'MODIFIED',
    value,
    ...(before ? { previous: before.value, previousRevision: before.revision } : {}),
  };
  return { revision, changes: [change] };
}

function toChange({ type, kv, prev_kv }: IEvent): KeyChange {
  const previous = prev_kv
    ? { previous: prev_kv.value, previousRevision: Number(prev_kv.mod_revision) }
    : {};
  const key = kv.key.toString();
  if (type === 'Delete') return { key, type: 'DELETED', ...previous };
  const isFirst = kv.create_revision === kv.mod_revision;
  return { key, type: isFirst ? 'ADDED' : 'MODIFIED', value: kv.value, ...previous };
}

function toRecords(events: readonly IEvent[]): RevisionRecord[] {
  const records = new Map<number, { changes: KeyChange[]; cause?: Cause }>();
  for (const event of events) {
    const revision = Number(event.kv.mod_revision);
    let record = records.get(revision);
    if (!record) records.set(revision, (record = { changes: [] }));
    const cause = event.kv.key.equals(CAUSE)
      ? toCause({ value: event.kv.value, revision })
      : undefined;
    if (cause) record.cause = cause;
    else record.changes.push(toChange(event));
  }
  return [...records].map(([revision, record]) => ({ revision, ...record }));
}
