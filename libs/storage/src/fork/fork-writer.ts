import type { ICompare, IKeyValue, IPutRequest, IRequestOp, ITxnResponse } from 'etcd3';

import { CAUSE_KEY, encodeCause } from '../cause/cause-record.js';
import type { EtcdClient } from '../etcd3/etcd-client.js';
import type { LeasePool } from '../etcd3/lease-pool.js';
import { StoredEntry } from '../etcd3/stored-entry.js';
import { StorageError } from '../storage-error.js';
import type { Entry, WriteOptions } from '../storage.js';
import type { ForkBase } from './fork-base.js';
import { REMOVED, forkGone } from './fork-events.js';
import { forkRecordKey, overlayKey } from './fork-record.js';
import type { Fork } from './fork-record.js';
import { decodeOverlay, overValue, tombstone } from './overlay-value.js';

export interface ForkWriterDeps {
  readonly client: EtcdClient;
  readonly fork: Fork;
  readonly base: ForkBase;
  readonly leases: LeasePool;
  /** The key of the pin: without it the base may be compacted, so nothing may be built on it. */
  readonly pinKey: string;
  readonly causeRecords: boolean;
}

interface Write {
  readonly verb: 'create' | 'update' | 'delete';
  readonly key: string;
  readonly expected: number;
  readonly base: Entry | undefined;
  readonly compare: readonly ICompare[];
  readonly success: readonly IRequestOp[];
}

const modIs = (key: Buffer, revision: number): ICompare => ({
  key,
  target: 'Mod',
  result: 'Equal',
  mod_revision: revision,
});

const valueIs = (key: Buffer, result: 'Equal' | 'NotEqual', value: Buffer): ICompare => ({
  key,
  target: 'Value',
  result,
  value,
});

/**
 * A fork's writes, one transaction each. A key that the base has is never removed from the overlay, so that the base's
 * state cannot come back: its deletion puts a tombstone, and it carries no lease of etcd's. A key of the fork's own is
 * as in any keyspace, with a lease where it has a lifetime.
 */
export class ForkWriter {
  constructor(private readonly deps: ForkWriterDeps) {}

  async create(key: string, value: Buffer, options: WriteOptions): Promise<Entry> {
    const base = await this.deps.base.get(key, options.signal);
    const target = this.target(key);
    const compare = base
      ? [valueIs(target, 'Equal', tombstone(base.revision))]
      : [modIs(target, 0)];
    const put = { value: base ? overValue(base.revision, undefined, value) : value };
    const write = { verb: 'create', key, expected: 0, base, compare } as const;
    const response = await this.put(write, put, options);
    const revision = Number(response.header.revision);
    return new StoredEntry({ key, revision, createRevision: revision, value });
  }

  /** `known`: the state at `expected`, where the caller has it in memory. */
  async update(
    key: string,
    expected: number,
    value: Buffer,
    options: WriteOptions & { readonly known?: Entry },
  ): Promise<Entry> {
    const base = await this.deps.base.get(key, options.signal);
    const target = this.target(key);
    const isFirst = expected === base?.revision;
    const write = {
      verb: 'update',
      key,
      expected,
      base,
      compare: [modIs(target, isFirst ? 0 : expected)],
    } as const;
    const created = base && (isFirst ? base : await this.stateAt(write, options)).createRevision;
    const put = { value: base ? overValue(base.revision, created, value) : value };
    const response = await this.put(write, put, options);
    const revision = Number(response.header.revision);
    const after = response.responses[1]?.response_range.kvs[0];
    const createRevision = created ?? Number(after?.create_revision ?? revision);
    return new StoredEntry({ key, revision, createRevision, value });
  }

  async delete(key: string, expected: number, options: WriteOptions): Promise<Entry> {
    const base = await this.deps.base.get(key, options.signal);
    const target = this.target(key);
    const isFirst = expected === base?.revision;
    const compare = [modIs(target, isFirst ? 0 : expected)];
    if (base && !isFirst) compare.push(valueIs(target, 'NotEqual', tombstone(base.revision)));
    const remove: IRequestOp = base
      ? { request_put: { key: target, value: tombstone(base.revision), prev_kv: true } }
      : { request_delete_range: { key: target, prev_kv: true } };
    const write: Write = { verb: 'delete', key, expected, base, compare, success: [remove] };
    const response = await this.commit(write, options);
    const [answer] = response.responses;
    const last = base ? answer?.response_put.prev_kv : answer?.response_delete_range.prev_kvs[0];
    const state = this.stateOf(key, last ?? undefined, base);
    if (!state)
      throw new StorageError('internal', `delete ${key}: etcd did not answer the last state`);
    return (state as StoredEntry).at(Number(response.header.revision));
  }

  private target(key: string): Buffer {
    return Buffer.from(overlayKey(this.deps.fork.name, key));
  }

  /** What readers of the fork see, given what etcd holds for the key. */
  private stateOf(
    key: string,
    kv: IKeyValue | undefined,
    base: Entry | undefined,
  ): Entry | undefined {
    if (!kv || Number(kv.mod_revision) === 0) return base;
    const state = decodeOverlay(key, kv);
    return state.kind === 'object' ? state.entry : undefined;
  }

  /** The overlay's state that an update expects. Throws 'conflict'. */
  private async stateAt(
    write: Omit<Write, 'success'>,
    { known, signal }: { readonly known?: Entry; readonly signal?: AbortSignal },
  ): Promise<Entry> {
    const { key, expected, base } = write;
    if (known?.revision === expected) return known;
    const { kvs } = await this.deps.client.call(
      { kind: 'read', what: `read ${key}` },
      (etcd, call) => etcd.kv.range({ key: this.target(key) }, call),
      signal,
    );
    const state = this.stateOf(key, kvs[0], base);
    if (state?.revision !== expected) throw refused(write, state);
    return state;
  }

  private async put(
    write: Omit<Write, 'success'>,
    { value }: { readonly value: Buffer },
    options: WriteOptions,
  ): Promise<ITxnResponse> {
    const key = this.target(write.key);
    const { leases } = this.deps;
    const ttlSeconds = write.base ? undefined : options.ttlSeconds;
    for (let attempt = 1; ; attempt++) {
      const put: IPutRequest = { key, value };
      if (ttlSeconds !== undefined) put.lease = await leases.leaseFor(ttlSeconds);
      const success: IRequestOp[] = [{ request_put: put }];
      if (write.verb === 'update') success.push({ request_range: { key, keys_only: true } });
      try {
        return await this.commit({ ...write, success }, options);
      } catch (error) {
        if (ttlSeconds === undefined || !/lease not found/.test(String(error)) || attempt > 1)
          throw error;
        leases.forget(ttlSeconds);
      }
    }
  }

  private async commit(write: Write, options: WriteOptions): Promise<ITxnResponse> {
    const { client, fork, pinKey, base } = this.deps;
    const { verb, key } = write;
    const guards = [...(options.guards ?? [])];
    const guardStates = await Promise.all(guards.map(([guard]) => base.get(guard, options.signal)));
    const record = Buffer.from(forkRecordKey(fork.name));
    const alive: ICompare[] = [
      { key: record, target: 'Create', result: 'Equal', create_revision: fork.created },
      { key: Buffer.from(pinKey), target: 'Create', result: 'Greater', create_revision: 0 },
    ];
    const compare = [
      ...alive,
      ...write.compare,
      ...guards.flatMap(([guard, revision], i) => this.guard(guard, revision, guardStates[i])),
    ];
    const reads = [key, ...guards.map(([guard]) => guard)].map((each) => this.target(each));
    const failure = [...reads, record, Buffer.from(pinKey)].map((each) => ({
      request_range: { key: each },
    }));
    const success = [...write.success, ...this.causeOf(key, options)];
    const response = await client.call(
      { kind: 'write', what: verb, key },
      (etcd, call) => etcd.kv.txn({ compare, success, failure }, call),
      options.signal,
    );
    if (!response.succeeded) throw this.refusal(write, guards, guardStates, response);
    return response;
  }

  private causeOf(key: string, { cause }: WriteOptions): IRequestOp[] {
    const { client, fork, causeRecords } = this.deps;
    if (!cause || !causeRecords) return [];
    const value = encodeCause(overlayKey(fork.name, key), client.clock.now(), cause);
    return [{ request_put: { key: Buffer.from(CAUSE_KEY), value } }];
  }

  private guard(key: string, revision: number, base: Entry | undefined): ICompare[] {
    const target = this.target(key);
    if (!base) return [modIs(target, revision)];
    if (revision === 0) return [valueIs(target, 'Equal', tombstone(base.revision))];
    if (revision === base.revision) return [modIs(target, 0)];
    return [modIs(target, revision), valueIs(target, 'NotEqual', tombstone(base.revision))];
  }

  /** Why the compares of a transaction did not hold, from the states read in it. */
  private refusal(
    write: Write,
    guards: readonly (readonly [string, number])[],
    guardStates: readonly (Entry | undefined)[],
    response: ITxnResponse,
  ): StorageError {
    const { fork } = this.deps;
    const found = response.responses.map((each) => each.response_range.kvs[0]);
    const [record, pin] = found.slice(guards.length + 1);
    if (Number(record?.create_revision ?? 0) !== fork.created) return forkGone(fork, REMOVED);
    if (!pin) return forkGone(fork, EXPIRED);
    for (const [i, [guard, revision]] of guards.entries()) {
      const at = this.stateOf(guard, found[i + 1], guardStates[i])?.revision ?? 0;
      if (at === revision) continue;
      const message = `${write.verb} ${write.key}: the guard ${guard} is at revision ${at}, not ${revision}`;
      return new StorageError('guard', message, { key: guard, currentRevision: at });
    }
    return refused(write, this.stateOf(write.key, found[0], write.base));
  }
}

/** Why a fork whose pin is gone serves nothing any more. */
export const EXPIRED =
  'has expired: the history it stands on was given up. Delete it and make a new one';

function refused(
  { verb, key, expected }: Pick<Write, 'verb' | 'key' | 'expected'>,
  current: Entry | undefined,
): StorageError {
  if (!current) {
    const message = `${verb} ${key}: expected revision ${expected}, it is gone`;
    return new StorageError('conflict', message, { key });
  }
  const detail = { key, currentRevision: current.revision, current };
  if (verb === 'create')
    return new StorageError('exists', `create ${key}: it exists already`, detail);
  const message = `${verb} ${key}: expected revision ${expected}, it is at ${current.revision}`;
  return new StorageError('conflict', message, detail);
}
