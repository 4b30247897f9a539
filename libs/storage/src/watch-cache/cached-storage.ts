import type { Logger } from '@orrery/component';

import { feed } from '../etcd3/etcd-feed.js';
import type { EtcdStorage } from '../etcd3/etcd-storage.js';
import { toStorageEvent } from '../etcd3/etcd-watch.js';
import { futureRevision } from '../etcd3/etcd-reader.js';
import { ALL_KEYS } from '../etcd3/key-range.js';
import { StorageError } from '../storage-error.js';
import type {
  Entry,
  Freshness,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  WatchItem,
  WatchOptions,
  WatchStream,
  WriteOptions,
} from '../storage.js';
import { CacheFeeder } from './cache-feeder.js';
import { CacheState } from './cache-state.js';
import { RevisionBarrier } from './revision-barrier.js';
import { RevisionWaiters } from './revision-waiters.js';
import { WatchQueue } from './watch-queue.js';

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
}

interface Subscription {
  readonly queue: WatchQueue;
  readonly unsubscribe: () => void;
}

/** k8s apiserver/pkg/storage/cacher/watch_cache.go: blockTimeout. */
const FUTURE_WAIT_MS = 3000;
/** A watch that lags this long behind a quorum read is reopened on another member. */
const LAG_MS = 1000;
const CONSISTENT_WAIT_MS = 5000;
const READY_WAIT_MS = 10_000;

/**
 * Storage whose reads and watches are served from memory, fed by one watch over the whole keyspace. A consistent read
 * asks etcd for the current revision, together with all readers of the moment, and waits until the watch has brought it.
 */
export class CachedStorage implements Storage {
  private readonly storage: EtcdStorage;
  private readonly state: CacheState;
  private readonly waiters: RevisionWaiters;
  private readonly barrier: RevisionBarrier;
  private readonly feeder: CacheFeeder;
  private readonly quorumReads: boolean;
  private readonly watchBuffer: number;

  constructor({ storage, logger, ...options }: CachedStorageOptions) {
    const { client, keyspace } = storage;
    this.storage = storage;
    this.quorumReads = options.reads === 'quorum';
    this.watchBuffer = options.watchBuffer ?? 20_000;
    this.state = new CacheState(keyspace, {
      events: options.windowEvents ?? 10_000,
      bytes: options.windowBytes ?? 16 * 1024 * 1024,
    });
    this.waiters = new RevisionWaiters(client.clock);
    this.barrier = new RevisionBarrier(() => storage.revision());
    this.feeder = new CacheFeeder({
      client,
      keyspace,
      state: this.state,
      waiters: this.waiters,
      onTrouble: (message, error) => logger?.warn(message, { err: String(error) }),
    });
  }

  /** Fills and follows; resolves when the signal has aborted and the watch is closed. Reads wait for the first fill. */
  start(signal: AbortSignal): Promise<void> {
    return this.feeder.run(signal);
  }

  /** Resolves when the cache has been filled. Throws 'unavailable' when that takes longer than `timeoutMs`. */
  async ready(timeoutMs = READY_WAIT_MS, signal?: AbortSignal): Promise<void> {
    if (this.state.revision > 0) return;
    if (await this.waiters.wait(1, timeoutMs, signal)) return;
    throwIfAborted('watch cache', signal);
    throw new StorageError('unavailable', 'the watch cache is not filled yet');
  }

  /** Drops the cache and loads it anew; every watch ends with 'compacted'. For a restored etcd (a new epoch). */
  invalidate(reason: string): void {
    this.feeder.invalidate(reason);
  }

  create(key: string, value: Buffer, options?: WriteOptions): Promise<Entry> {
    return this.storage.create(key, value, options);
  }

  update(key: string, expected: number, value: Buffer, options?: WriteOptions): Promise<Entry> {
    return this.storage.update(key, expected, value, options);
  }

  delete(key: string, expected: number, options?: WriteOptions): Promise<Entry> {
    return this.storage.delete(key, expected, options);
  }

  revision(): Promise<number> {
    return this.barrier.next();
  }

  async get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    const { freshness, signal } = options;
    if (this.isForEtcd(key, freshness)) return this.storage.get(key, options);
    if (freshness.kind !== 'exact') await this.waitFor(freshness, `get ${key}`, signal);
    return this.state.get(key);
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const { freshness, after, limit, signal } = options;
    if (this.isForEtcd(prefix, freshness)) return this.storage.list(prefix, options);
    // The state at an exact revision is in memory only until the next change: no waiting then.
    if (freshness.kind !== 'exact') await this.waitFor(freshness, `list ${prefix}`, signal);
    const revision = freshness.kind === 'exact' ? freshness.revision : this.state.revision;
    return { ...this.state.page(prefix, after, limit), revision };
  }

  async *watch(prefix: string, options: WatchOptions): WatchStream {
    if (!this.state.covers(prefix)) {
      yield* this.storage.watch(prefix, options);
      return;
    }
    await this.ready(READY_WAIT_MS, options.signal).catch((error: unknown) => {
      if (!options.signal.aborted) throw error;
    });
    let { after } = options;
    while (!options.signal.aborted) {
      const subscription = this.subscribe(prefix, after);
      if (subscription) {
        yield* this.follow(subscription, { ...options, after });
        return;
      }
      for await (const { items, revision } of this.replay(prefix, { ...options, after })) {
        after = revision;
        if (items.length > 0) yield items;
        if (after >= this.state.partition(prefix).window.floor) break;
      }
    }
  }

  /** The part of a watch that lies before the window, from etcd's history. */
  private async *replay(
    prefix: string,
    { after, signal }: WatchOptions,
  ): AsyncGenerator<{ items: readonly WatchItem[]; revision: number }> {
    const { client } = this.storage;
    for await (const batch of feed(client, { range: ALL_KEYS, after, previous: true, signal })) {
      const items: WatchItem[] = [];
      for (const raw of batch.events) {
        const key = raw.kv.key.toString();
        if (key.startsWith(prefix)) items.push({ kind: 'event', event: toStorageEvent(raw, key) });
      }
      yield { items, revision: batch.revision };
    }
  }

  /** Joins the watchers of the prefix, with what memory has behind `after`; undefined when that is too long ago. */
  private subscribe(prefix: string, after: number): Subscription | undefined {
    const partition = this.state.partition(prefix);
    const backlog = partition.since(prefix, after);
    if (!backlog) return undefined;
    const queue = new WatchQueue(after, this.watchBuffer);
    if (backlog.length > 0) queue.push(backlog);
    return { queue, unsubscribe: partition.subscribe(prefix, queue) };
  }

  /** The part of a watch that is served from memory. */
  private async *follow(
    { queue, unsubscribe }: Subscription,
    { after, signal, progressMs }: WatchOptions,
  ): WatchStream {
    const stopProgress =
      progressMs === undefined ? undefined : this.markProgress(queue, after, progressMs);
    const onAbort = (): void => queue.end();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const next = await queue.next();
        if (next.done || signal.aborted) return;
        yield next.value;
      }
    } finally {
      stopProgress?.();
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
    }
  }

  private markProgress(queue: WatchQueue, after: number, progressMs: number): () => void {
    const { clock } = this.storage.client;
    const mark = (): void => {
      queue.push([{ kind: 'progress', revision: Math.max(after, this.state.revision) }]);
      cancel = clock.after(progressMs, mark, { unref: true });
    };
    let cancel = clock.after(progressMs, mark, { unref: true });
    return () => cancel();
  }

  private isForEtcd(keyOrPrefix: string, freshness: Freshness): boolean {
    if (!this.state.covers(keyOrPrefix)) return true;
    if (freshness.kind === 'exact') return !this.state.isSameAt(keyOrPrefix, freshness.revision);
    return this.quorumReads && freshness.kind === 'consistent';
  }

  /** Waits until memory is as fresh as asked. */
  private async waitFor(freshness: Freshness, what: string, signal?: AbortSignal): Promise<void> {
    do await this.waitOnce(freshness, what, signal);
    while (this.state.revision === 0);
  }

  private async waitOnce(freshness: Freshness, what: string, signal?: AbortSignal): Promise<void> {
    await this.ready(READY_WAIT_MS, signal);
    if (freshness.kind === 'consistent') await this.catchUp(await this.askRevision(), what, signal);
    if (freshness.kind !== 'notOlderThan') return;
    const { revision } = freshness;
    if (this.state.revision >= revision) return;
    if (await this.waiters.wait(revision, FUTURE_WAIT_MS, signal)) return;
    throwIfAborted(what, signal);
    throw futureRevision(what, revision, this.state.revision);
  }

  private async askRevision(): Promise<number> {
    const seen = this.state.revision;
    const revision = await this.barrier.next();
    if (revision < seen)
      this.feeder.invalidate(`etcd went back from revision ${seen} to ${revision}`);
    return revision;
  }

  private async catchUp(revision: number, what: string, signal?: AbortSignal): Promise<void> {
    if (this.state.revision >= revision) return;
    if (await this.waiters.wait(revision, LAG_MS, signal)) return;
    throwIfAborted(what, signal);
    this.feeder.reopen();
    if (await this.waiters.wait(revision, CONSISTENT_WAIT_MS - LAG_MS, signal)) return;
    throwIfAborted(what, signal);
    const message = `${what}: the watch cache is at ${this.state.revision}, etcd at ${revision}`;
    throw new StorageError('timeout', message);
  }
}

function throwIfAborted(what: string, signal?: AbortSignal): void {
  if (signal?.aborted) throw new StorageError('aborted', `${what}: the caller gave up`);
}
