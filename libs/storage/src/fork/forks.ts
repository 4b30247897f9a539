import type { Random } from '@orrery/component';
import { SystemRandom } from '@orrery/component';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { EtcdReader, futureRevision } from '../etcd3/etcd-reader.js';
import type { EtcdStorage } from '../etcd3/etcd-storage.js';
import { isStorageError } from '../storage-error.js';
import type { Entry } from '../storage.js';
import type { CachedStorage } from '../watch-cache/cached-storage.js';
import type { MemoryBase } from './fork-base.js';
import { forkGone } from './fork-events.js';
import { ForkMemory } from './fork-memory.js';
import { FORK_RECORDS, decodeForkRecord, forkRecordKey } from './fork-record.js';
import type { Fork } from './fork-record.js';
import { ForkStorage } from './fork-storage.js';
import { createFork, pinKeyOf, removeFork, tooOld } from './fork-transactions.js';
import { EXPIRED } from './fork-writer.js';
import type { OpenFork } from './open-fork.js';

export interface ForksOptions {
  readonly storage: EtcdStorage;
  /** The live cache, not started yet; absent = every read of a fork goes to etcd. */
  readonly cached?: CachedStorage;
  readonly random?: Random;
  /** Whether writes in forks record their causes. Default true. */
  readonly causeRecords?: boolean;
  readonly onTrouble?: (message: string, error: unknown) => void;
}

export interface NewFork {
  readonly name: string;
  readonly user: string;
  /** PEM of the private key that signs the fork's own service-account tokens. */
  readonly issuerKey: string;
  /** The revision to stand on; absent = the state of this moment. */
  readonly at?: number;
}

/** One key that a fork holds a state of its own of. */
export interface ForkChange {
  readonly key: string;
  /** The base's state. */
  readonly before?: Entry;
  /** The fork's state. */
  readonly after?: Entry;
}

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const NEVER = new AbortController().signal;

/** The forks of a keyspace. */
export class Forks {
  private readonly client: EtcdClient;
  private readonly reader: EtcdReader;
  private readonly memory: ForkMemory | undefined;
  private readonly random: Random;
  /** Bases of forks that are being made: memory itself holds them weakly. */
  private readonly making = new Set<MemoryBase>();

  constructor(private readonly options: ForksOptions) {
    const { storage, cached, random = new SystemRandom(), causeRecords = true } = options;
    this.client = storage.client;
    this.reader = new EtcdReader(storage.client);
    this.random = random;
    if (!cached) return;
    const onForeign = (fork: Fork): void => {
      removeFork(this.client, fork).catch((error: unknown) =>
        options.onTrouble?.('cannot remove a fork of before a restore', error),
      );
    };
    this.memory = new ForkMemory({ live: cached, causeRecords, onForeign });
    cached.follow(this.memory);
  }

  /**
   * Makes a fork; it can be opened when this resolves. Costs two transactions, whatever the size of the cluster.
   * Throws 'exists', 'compacted' and 'futureRevision'.
   */
  async create({ name, user, issuerKey, at }: NewFork): Promise<Fork> {
    const { storage, cached } = this.options;
    if (at !== undefined) await this.refuseFuture(name, at);
    const now = at === undefined ? await this.now() : undefined;
    if (now) this.making.add(now);
    try {
      const fork = await createFork(this.client, {
        name,
        uid: this.random.uuid(),
        base: at ?? now?.revision ?? (await storage.revision()),
        keyspace: storage.keyspace,
        user,
        issuerKey,
      });
      if (at !== undefined) await this.requireBase(fork);
      const seen = { kind: 'notOlderThan', revision: fork.created } as const;
      await cached?.gate.wait(seen, `fork ${name}`);
      return fork;
    } finally {
      if (now) this.making.delete(now);
    }
  }

  async list(): Promise<readonly Fork[]> {
    const { entries } = await this.reader.list(FORK_RECORDS, CONSISTENT);
    return entries
      .map(({ key, value, createRevision }) => decodeForkRecord(key, value, createRevision))
      .filter(({ keyspace }) => keyspace === this.options.storage.keyspace);
  }

  /** A fork, from memory where it is known there; undefined = there is none. Throws 'gone' when it has expired. */
  async open(name: string): Promise<OpenFork | undefined> {
    const { cached } = this.options;
    if (!this.memory || !cached) return this.openPlain(name);
    let found = this.memory.get(name);
    if (!found) {
      await cached.gate.wait(CONSISTENT.freshness, `fork ${name}`);
      found = this.memory.get(name);
    }
    if (found?.gone.aborted) throw found.gone.reason;
    return found;
  }

  /** Removes a fork with all it holds; false = there was none. */
  async remove(name: string): Promise<boolean> {
    const fork = await this.find(name);
    return fork !== undefined && removeFork(this.client, fork);
  }

  /** The record of a fork, expired or not. */
  async find(name: string): Promise<Fork | undefined> {
    const entry = await this.reader.get(forkRecordKey(name), CONSISTENT);
    const fork = entry && decodeForkRecord(entry.key, entry.value, entry.createRevision);
    return fork?.keyspace === this.options.storage.keyspace ? fork : undefined;
  }

  /** What the fork holds that its base does not, in key order. */
  async changes({ plain }: OpenFork): Promise<readonly ForkChange[]> {
    const { items } = await plain.overlay(this.options.storage.keyspace, CONSISTENT);
    return Promise.all(
      items.map(async ({ key, state }) => {
        const before = state.over === undefined ? undefined : await plain.base.get(key);
        const after = state.kind === 'object' ? state.entry : undefined;
        return { key, ...(before && { before }), ...(after && { after }) };
      }),
    );
  }

  /** The live state as it is now, or at a moment after the call began. */
  private async now(): Promise<MemoryBase | undefined> {
    const { cached } = this.options;
    await cached?.gate.wait(CONSISTENT.freshness, 'fork');
    return this.memory?.now();
  }

  private async refuseFuture(name: string, at: number): Promise<void> {
    const current = await this.options.storage.revision();
    if (at > current) throw futureRevision(`fork ${name}`, at, current);
  }

  /** The pin is there: what can be read now stays. */
  private async requireBase(fork: Fork): Promise<void> {
    const { base } = fork;
    try {
      const freshness = { kind: 'exact', revision: base } as const;
      await this.reader.get('/', { freshness });
    } catch (error) {
      await removeFork(this.client, fork);
      if (!isStorageError(error, 'compacted')) throw error;
      throw tooOld(fork, base + 1);
    }
  }

  private async openPlain(name: string): Promise<OpenFork | undefined> {
    const fork = await this.find(name);
    if (!fork) return undefined;
    const pinKey = pinKeyOf(fork);
    if (!(await this.reader.get(pinKey, CONSISTENT))) throw forkGone(fork, EXPIRED);
    const { causeRecords = true } = this.options;
    const plain = new ForkStorage({ client: this.client, fork, pinKey, causeRecords });
    return { fork, storage: plain, plain, gone: NEVER };
  }
}
