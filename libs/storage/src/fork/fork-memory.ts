import type { IEvent } from 'etcd3';

import type { FeedBatch } from '../etcd3/etcd-feed.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { PIN_PREFIX } from '../history/pins.js';
import type { StorageError } from '../storage-error.js';
import type { FeedFollower } from '../watch-cache/cache-feeder.js';
import type { CachedStorage } from '../watch-cache/cached-storage.js';
import { EPOCH_KEY } from '../watch-cache/epoch.js';
import type { Partition } from '../watch-cache/partition.js';
import { CachedForkStorage } from './cached-fork-storage.js';
import { MemoryBase } from './fork-base.js';
import { REMOVED, forkGone } from './fork-events.js';
import { FORK_KEYS, FORK_RECORDS, decodeForkRecord, parseOverlayKey } from './fork-record.js';
import type { Fork } from './fork-record.js';
import { ForkState } from './fork-state.js';
import { ForkStorage } from './fork-storage.js';
import { pinKeyOf } from './fork-transactions.js';
import { EXPIRED } from './fork-writer.js';
import type { OpenFork } from './open-fork.js';

const FORKS_BYTE = FORK_KEYS.charCodeAt(1);
const ORRERY_BYTE = FORK_RECORDS.charCodeAt(1);

interface Kept extends OpenFork {
  readonly state: ForkState;
  readonly ending: AbortController;
}

export interface ForkMemoryOptions {
  readonly live: CachedStorage;
  readonly causeRecords: boolean;
  /** Told about a fork of another epoch: the states it stands on are no more. */
  readonly onForeign: (fork: Fork) => void;
}

/** Every fork of the keyspace, kept current by the watch of the live cache. */
export class ForkMemory implements FeedFollower {
  private readonly forks = new Map<string, Kept>();
  private readonly byPin = new Map<string, Kept>();
  /** Bases of which one in memory serves all forks, as long as there are any. */
  private readonly bases = new Map<number, WeakRef<MemoryBase>>();
  private readonly reader: EtcdReader;

  constructor(private readonly options: ForkMemoryOptions) {
    this.reader = new EtcdReader(options.live.storage.client);
  }

  get(name: string): OpenFork | undefined {
    return this.forks.get(name);
  }

  all(): readonly OpenFork[] {
    return [...this.forks.values()];
  }

  /** The live state of this moment as a base for a fork; to be held until the fork is there. */
  now(): MemoryBase | undefined {
    const { live } = this.options;
    const { revision } = live.state;
    const known = this.bases.get(revision)?.deref();
    if (known || revision === 0) return known;
    const snapshot = live.state.snapshot();
    return snapshot && this.remember(new MemoryBase(live.storage.client, live.state, snapshot));
  }

  async load(revision: number, signal: AbortSignal): Promise<void> {
    const options = { freshness: { kind: 'exact', revision }, signal } as const;
    const [records, pins, epoch] = await Promise.all([
      this.reader.list(FORK_RECORDS, options),
      this.reader.list(PIN_PREFIX, options),
      this.reader.get(EPOCH_KEY, options),
    ]);
    const present = new Set<string>();
    for (const { key, value, createRevision } of records.entries) {
      const fork = decodeForkRecord(key, value, createRevision);
      if (fork.keyspace !== this.options.live.storage.keyspace) continue;
      present.add(fork.name);
      if (fork.epoch === (epoch?.revision ?? 0)) this.open(fork);
      else this.options.onForeign(fork);
    }
    const pinned = new Set(pins.entries.map(({ key }) => key));
    for (const kept of this.forks.values()) {
      if (!present.has(kept.fork.name)) this.close(kept);
      else if (!pinned.has(pinKeyOf(kept.fork))) expire(kept);
    }
    if (this.forks.size === 0) return;
    for await (const page of this.reader.pages(FORK_KEYS, options)) {
      for (const entry of page.entries) {
        const parsed = parseOverlayKey(entry.key);
        const { value, revision: mod_revision, createRevision: create_revision } = entry;
        const kept = parsed && this.forks.get(parsed.name);
        if (kept) kept.state.load(parsed.key, { value, mod_revision, create_revision });
      }
    }
  }

  apply({ events }: FeedBatch): void {
    const touched = new Set<Partition>();
    for (const event of events) {
      if (!isOurs(event.kv.key)) continue;
      const key = event.kv.key.toString();
      if (key.startsWith(FORK_KEYS)) {
        const parsed = parseOverlayKey(key);
        const kept = parsed && this.forks.get(parsed.name);
        const partition = kept?.state.apply(parsed?.key ?? '', event);
        if (partition) touched.add(partition);
      } else if (key.startsWith(FORK_RECORDS)) this.applyRecord(key, event);
      else if (key.startsWith(PIN_PREFIX) && event.type === 'Delete') {
        const kept = this.byPin.get(key);
        if (kept) expire(kept);
      }
    }
    for (const partition of touched) partition.flush();
  }

  reset(error: StorageError): void {
    for (const { state } of this.forks.values()) state.reset(error);
  }

  private applyRecord(key: string, { type, kv }: IEvent): void {
    const known = this.forks.get(key.slice(FORK_RECORDS.length));
    if (known) this.close(known);
    if (type === 'Delete') return;
    const fork = decodeForkRecord(key, kv.value, Number(kv.create_revision));
    if (fork.keyspace === this.options.live.storage.keyspace) this.open(fork);
  }

  private open(fork: Fork): void {
    const { live, causeRecords } = this.options;
    const known = this.forks.get(fork.name);
    if (known?.fork.created === fork.created) return;
    if (known) this.close(known);
    const base =
      this.bases.get(fork.base)?.deref() ??
      this.remember(new MemoryBase(live.storage.client, live.state, fork.base));
    const { client } = live.storage;
    const state = new ForkState(fork, live.state, live.gate, base);
    const plain = new ForkStorage({ client, fork, pinKey: pinKeyOf(fork), base, causeRecords });
    const storage = new CachedForkStorage({ storage: plain, state, live });
    const ending = new AbortController();
    const kept: Kept = { fork, storage, plain, gone: ending.signal, state, ending };
    this.forks.set(fork.name, kept);
    this.byPin.set(pinKeyOf(fork), kept);
  }

  private close(kept: Kept): void {
    this.forks.delete(kept.fork.name);
    this.byPin.delete(pinKeyOf(kept.fork));
    end(kept, forkGone(kept.fork, REMOVED));
  }

  private remember(base: MemoryBase): MemoryBase {
    for (const [revision, ref] of this.bases) if (!ref.deref()) this.bases.delete(revision);
    this.bases.set(base.revision, new WeakRef(base));
    return base;
  }
}

/** Whether a key may be one of forks: most are not, and need not be decoded. */
const isOurs = (key: Buffer): boolean => key[1] === FORKS_BYTE || key[1] === ORRERY_BYTE;

function end({ ending, state }: Kept, error: StorageError): void {
  ending.abort(error);
  state.reset(error);
}

function expire(kept: Kept): void {
  if (!kept.gone.aborted) end(kept, forkGone(kept.fork, EXPIRED));
}
