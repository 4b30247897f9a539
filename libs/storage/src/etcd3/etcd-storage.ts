import type { ICompare, IKeyValue, IPutRequest, IRequestOp, ITxnResponse } from 'etcd3';

import { CAUSE_KEY, encodeCause } from '../cause/cause-record.js';
import { sealOf } from '../encryption/seal.js';
import { StorageError, isStorageError } from '../storage-error.js';
import type {
  Entry,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchOptions,
  WatchStream,
  WriteCause,
  WriteOptions,
} from '../storage.js';
import type { EtcdClient } from './etcd-client.js';
import { EtcdReader } from './etcd-reader.js';
import { watchEtcd } from './etcd-watch.js';
import { LeasePool } from './lease-pool.js';
import { StoredEntry } from './stored-entry.js';

export interface EtcdStorageOptions {
  readonly client: EtcdClient;
  /** What every key starts with; ends in '/'. Default '/registry/'. */
  readonly keyspace?: string;
  /** Whether each write's transaction also records its cause. Default true. */
  readonly causeRecords?: boolean;
}

/** What a write does when its compares hold. */
interface Write {
  readonly verb: 'create' | 'update' | 'delete';
  readonly key: string;
  readonly expected: number;
  readonly success: IRequestOp[];
}

/** Storage on etcd alone: one transaction per write, each read answered by etcd, each watch a watch of etcd's. */
export class EtcdStorage implements Storage {
  readonly keyspace: string;
  readonly client: EtcdClient;
  private readonly reader: EtcdReader;
  private readonly leases: LeasePool;
  private readonly causeRecords: boolean;
  /** The newest revision that a write of ours has had. */
  private newest = 0;

  constructor({ client, keyspace = '/registry/', causeRecords = true }: EtcdStorageOptions) {
    this.client = client;
    this.keyspace = keyspace;
    this.causeRecords = causeRecords;
    this.reader = new EtcdReader(client);
    this.leases = new LeasePool(client);
  }

  async create(key: string, value: Buffer, options: WriteOptions = {}): Promise<Entry> {
    const response = await this.put({ verb: 'create', key, expected: 0 }, value, options);
    const revision = Number(response.header.revision);
    const seal = this.client.encryption?.current(key);
    const state = { key, revision, createRevision: revision, value, seal };
    return new StoredEntry({ ...state, isSound: true, object: options.object });
  }

  async update(
    key: string,
    expected: number,
    value: Buffer,
    options: WriteOptions = {},
  ): Promise<Entry> {
    requireRevision('update', key, expected);
    const response = await this.put({ verb: 'update', key, expected }, value, options);
    const revision = Number(response.header.revision);
    const after = response.responses[1]?.response_range.kvs[0];
    const createRevision = Number(after?.create_revision ?? revision);
    const seal = this.client.encryption?.current(key);
    const { object } = options;
    return new StoredEntry({ key, revision, createRevision, value, isSound: true, seal, object });
  }

  async delete(key: string, expected: number, options: WriteOptions = {}): Promise<Entry> {
    requireRevision('delete', key, expected);
    const success = [{ request_delete_range: { key: Buffer.from(key), prev_kv: true } }];
    const response = await this.commitDeletion({ verb: 'delete', key, expected, success }, options);
    const last = response.responses[0]?.response_delete_range.prev_kvs[0];
    if (!last)
      throw new StorageError('internal', `delete ${key}: etcd did not answer the last state`);
    return entryOf(last, Number(response.header.revision));
  }

  get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    return this.reader.get(key, options);
  }

  list(prefix: string, options: ListOptions): Promise<ListResult> {
    return this.reader.list(prefix, options);
  }

  watch(prefix: string, options: WatchOptions): WatchStream {
    return watchEtcd(this.client, { ...options, prefix });
  }

  revision(signal?: AbortSignal): Promise<number> {
    return this.reader.revision(signal);
  }

  private async put(
    write: Omit<Write, 'success'>,
    value: Buffer,
    options: WriteOptions,
  ): Promise<ITxnResponse> {
    const { ttlSeconds } = options;
    const key = Buffer.from(write.key);
    for (let attempt = 1; ; attempt++) {
      const put: IPutRequest = { key, value };
      if (ttlSeconds !== undefined) put.lease = await this.leases.leaseFor(ttlSeconds);
      const success: IRequestOp[] = [{ request_put: put }];
      // A put does not answer the creation revision; the key read back in the same transaction does.
      if (write.verb === 'update') success.push({ request_range: { key, keys_only: true } });
      try {
        return await this.commit({ ...write, success }, options);
      } catch (error) {
        const lostLease =
          isStorageError(error, 'internal') && /lease not found/.test(String(error));
        if (ttlSeconds === undefined || !lostLease || attempt > 1) throw error;
        this.leases.forget(ttlSeconds);
      }
    }
  }

  /** A full etcd takes deletions, which make room, but no transaction that also puts: the cause goes unrecorded then. */
  private async commitDeletion(write: Write, options: WriteOptions): Promise<ITxnResponse> {
    try {
      return await this.commit(write, options);
    } catch (error) {
      const { cause, ...others } = options;
      if (!cause || !isStorageError(error, 'noSpace')) throw error;
      return this.commit(write, others);
    }
  }

  private async commit(write: Write, options: WriteOptions): Promise<ITxnResponse> {
    const { verb, key, expected } = write;
    const success = [...write.success, ...(await this.causeOf(key, options))];
    const guards = [...(options.guards ?? [])];
    const compare: ICompare[] = [[key, expected] as const, ...guards].map(
      ([subject, revision]) => ({
        key: Buffer.from(subject),
        target: 'Mod',
        result: 'Equal',
        mod_revision: revision,
      }),
    );
    const failure: IRequestOp[] = [
      { request_range: { key: Buffer.from(key) } },
      ...guards.map(([guard]) => ({ request_range: { key: Buffer.from(guard), keys_only: true } })),
    ];
    const response = await this.client.call(
      { kind: 'write', what: verb, key },
      (etcd, call) => etcd.kv.txn({ compare, success, failure }, call),
      options.signal,
    );
    if (!response.succeeded) throw refusal(write, guards, response);
    this.newest = Math.max(this.newest, Number(response.header.revision));
    return response;
  }

  private async causeOf(key: string, { cause, signal }: WriteOptions): Promise<IRequestOp[]> {
    if (!cause || !this.causeRecords) return [];
    const known = (await this.lies(cause, signal)) ? withoutReaction(cause) : cause;
    const value = encodeCause(key, this.client.clock.now(), known);
    return [{ request_put: { key: CAUSE, value } }];
  }

  /** Whether the write is said to react to a revision that has not been yet (a client from before a restore). */
  private async lies({ reactedTo = 0 }: WriteCause, signal?: AbortSignal): Promise<boolean> {
    if (reactedTo <= this.newest) return false;
    const revision = await this.reader.revision(signal);
    this.newest = Math.max(this.newest, revision);
    return reactedTo > revision;
  }
}

const CAUSE = Buffer.from(CAUSE_KEY);

function withoutReaction(cause: WriteCause): WriteCause {
  const { reactedTo: _, ...rest } = cause;
  return rest;
}

/** Why the compares of a transaction did not hold, from the states read in it. */
function refusal(
  { verb, key, expected }: Write,
  guards: readonly (readonly [string, number])[],
  response: ITxnResponse,
): StorageError {
  const found = response.responses.map((each) => each.response_range.kvs[0]);
  const broken = guards.findIndex(([, revision], i) => modRevision(found[i + 1]) !== revision);
  const guard = guards[broken];
  if (guard) {
    const at = modRevision(found[broken + 1]);
    const message = `${verb} ${key}: the guard ${guard[0]} is at revision ${at}, not ${guard[1]}`;
    return new StorageError('guard', message, { key: guard[0], currentRevision: at });
  }
  const state = found[0];
  if (!state) {
    return new StorageError(
      'conflict',
      `${verb} ${key}: expected revision ${expected}, it is gone`,
      { key },
    );
  }
  const current = entryOf(state);
  const detail = { key, currentRevision: current.revision, current };
  if (verb === 'create')
    return new StorageError('exists', `create ${key}: it exists already`, detail);
  const message = `${verb} ${key}: expected revision ${expected}, it is at ${current.revision}`;
  return new StorageError('conflict', message, detail);
}

function modRevision(state: IKeyValue | undefined): number {
  return Number(state?.mod_revision ?? 0);
}

/** Revision 0 means "absent" to etcd: as an expected state it would turn an update into a create. */
function requireRevision(verb: string, key: string, expected: number): void {
  if (Number.isSafeInteger(expected) && expected > 0) return;
  throw new StorageError('internal', `${verb} ${key}: ${expected} is not the revision of a state`);
}

function entryOf(state: IKeyValue, revision = Number(state.mod_revision)): StoredEntry {
  return new StoredEntry({
    key: state.key.toString(),
    revision,
    createRevision: Number(state.create_revision),
    value: state.value,
    seal: sealOf(state),
  });
}
