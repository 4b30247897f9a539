import type { Logger } from '@orrery/component';

import type { EtcdStorage } from '../etcd3/etcd-storage.js';
import { replayEtcd } from '../etcd3/etcd-watch.js';
import type {
  Entry,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchOptions,
  WatchStream,
  WriteOptions,
} from '../storage.js';
import { CacheFeeder } from './cache-feeder.js';
import type { FeedFollower } from './cache-feeder.js';
import { CacheState } from './cache-state.js';
import { Epoch } from './epoch.js';
import { FreshnessGate } from './freshness-gate.js';
import { MemoryReads } from './memory-reads.js';
import { RevisionBarrier } from './revision-barrier.js';

export interface CachedStorageOptions {
  readonly storage: EtcdStorage;
  /** 'quorum' sends consistent reads to etcd: to check the cache against. Default 'cache'. */
  readonly reads?: 'cache' | 'quorum';
  /** Events remembered per resource for watches that start in the past. Default 10,000. */
  readonly windowEvents?: number;
  /** … and their bytes. Default 16 MiB. */
  readonly windowBytes?: number;
  /** Items queued for a watcher before it is cut with 'slow'. Default 20,000. */
  readonly watchBuffer?: number;
  readonly logger?: Logger;
  /** Told of each list that is answered from memory. */
  readonly onList?: (prefix: string, objects: number) => void;
}

/**
 * Storage whose reads and watches are served from memory, fed by one watch over the whole keyspace. A consistent read
 * asks etcd for the current revision, together with all readers of the moment, and waits until the watch has brought it.
 */
export class CachedStorage implements Storage {
  readonly storage: EtcdStorage;
  /** What memory holds; forks clone it. */
  readonly state: CacheState;
  readonly gate: FreshnessGate;
  readonly quorumReads: boolean;
  readonly watchBuffer: number;
  private readonly barrier: RevisionBarrier;
  private readonly feeder: CacheFeeder;
  private readonly reads: MemoryReads;

  constructor({ storage, logger, ...options }: CachedStorageOptions) {
    const { client, keyspace } = storage;
    this.storage = storage;
    this.quorumReads = options.reads === 'quorum';
    this.watchBuffer = options.watchBuffer ?? 20_000;
    const limits = {
      events: options.windowEvents ?? 10_000,
      bytes: options.windowBytes ?? 16 * 1024 * 1024,
      stale: 100,
    };
    this.state = new CacheState(keyspace, limits, client.clock);
    this.barrier = new RevisionBarrier(() => storage.revision());
    this.gate = new FreshnessGate({
      clock: client.clock,
      state: this.state,
      barrier: this.barrier,
      onLag: () => this.feeder.reopen(),
      onReturn: (revision) => {
        this.feeder.invalidate(`etcd went back from ${this.state.revision} to ${revision}`);
      },
    });
    this.feeder = new CacheFeeder({
      client,
      keyspace,
      state: this.state,
      gate: this.gate,
      onTrouble: (message, error) => logger?.warn(message, { err: String(error) }),
    });
    const epoch = new Epoch(client);
    this.feeder.follow(epoch);
    this.reads = new MemoryReads({
      requireCurrent: (revision, what) => epoch.requireCurrent(revision, what),
      state: this.state,
      gate: this.gate,
      backing: {
        get: (key, how) => storage.get(key, how),
        list: (prefix, how) => storage.list(prefix, how),
        watch: (prefix, how) => storage.watch(prefix, how),
        replay: (prefix, how) => replayEtcd(client, prefix, how),
      },
      clock: client.clock,
      quorumReads: this.quorumReads,
      watchBuffer: this.watchBuffer,
      ...(options.onList ? { onList: options.onList } : {}),
    });
  }

  /** Fills and follows; resolves when the signal has aborted and the watch is closed. Reads wait for the first fill. */
  start(signal: AbortSignal): Promise<void> {
    return this.feeder.run(signal);
  }

  /** Hands each change of etcd, whatever its key, to the follower too. To be called before {@link start}. */
  follow(follower: FeedFollower): void {
    this.feeder.follow(follower);
  }

  /** Resolves when the cache has been filled. Throws 'unavailable' when that takes longer than `timeoutMs`. */
  ready(timeoutMs?: number, signal?: AbortSignal): Promise<void> {
    return this.gate.ready(timeoutMs, signal);
  }

  /** Drops the cache and loads it anew; every watch ends with 'compacted'. */
  invalidate(reason: string): void {
    this.feeder.invalidate(reason);
  }

  async create(key: string, value: Buffer, options?: WriteOptions): Promise<Entry> {
    const { ownWrites } = this.state;
    const write = { value, object: options?.object };
    return ownWrites.note(
      await ownWrites.during(key, write, () => this.storage.create(key, value, options)),
    );
  }

  async update(
    key: string,
    expected: number,
    value: Buffer,
    options?: WriteOptions,
  ): Promise<Entry> {
    const { ownWrites } = this.state;
    const write = { value, object: options?.object };
    return ownWrites.note(
      await ownWrites.during(key, write, () => this.storage.update(key, expected, value, options)),
    );
  }

  delete(key: string, expected: number, options?: WriteOptions): Promise<Entry> {
    return this.storage.delete(key, expected, options);
  }

  revision(): Promise<number> {
    return this.barrier.next();
  }

  get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    return this.reads.get(key, options);
  }

  list(prefix: string, options: ListOptions): Promise<ListResult> {
    return this.reads.list(prefix, options);
  }

  watch(prefix: string, options: WatchOptions): WatchStream {
    return this.reads.watch(prefix, options);
  }
}
