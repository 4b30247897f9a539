import { machineTime } from '@orrery/component';
import type { Clock } from '@orrery/component';

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
} from '../storage.js';
import type { FreshnessGate } from './freshness-gate.js';
import { READY_WAIT_MS } from './freshness-gate.js';
import type { IndexPage } from './key-index.js';
import type { Partition } from './partition.js';
import { WatchQueue } from './watch-queue.js';

/** What memory holds of a keyspace, as of `revision`. */
export interface MemoryState {
  readonly revision: number;
  /** Whether the prefix lies within one resource, which is what memory can serve. */
  covers(keyOrPrefix: string): boolean;
  get(key: string): Entry | undefined;
  page(prefix: string, after?: string, limit?: number): IndexPage;
  /** The resource that a key or prefix belongs to. */
  partition(keyOrPrefix: string): Partition;
  /** True when the state below `prefix` in memory is also its state at `revision`. */
  isSameAt(prefix: string, revision: number): boolean;
}

export interface ReplayBatch {
  readonly items: readonly WatchItem[];
  /** Everything up to here has been replayed. */
  readonly revision: number;
}

/** Where reads go that memory cannot serve. */
export type MemoryBacking = Pick<Storage, 'get' | 'list' | 'watch'> & {
  /** The events of a prefix above `after` from etcd's history. */
  replay(
    prefix: string,
    options: Pick<WatchOptions, 'after' | 'signal'>,
  ): AsyncIterable<ReplayBatch>;
};

export interface MemoryReadsOptions {
  readonly state: MemoryState;
  readonly gate: FreshnessGate;
  readonly backing: MemoryBacking;
  readonly clock: Clock;
  /** Consistent reads go to the backing. */
  readonly quorumReads: boolean;
  /** Items queued for a watcher before it is cut with 'slow'. */
  readonly watchBuffer: number;
  /** Throws 'compacted' for a revision that memory knows to be of another history. */
  readonly requireCurrent?: (revision: number, what: string) => void;
  /** Told of each list that is answered from memory. */
  readonly onList?: (prefix: string, objects: number) => void;
}

interface Subscription {
  readonly queue: WatchQueue;
  readonly partition: Partition;
  readonly unsubscribe: () => void;
}

/** Reads and watches served from memory, and from the backing where memory does not reach. */
export class MemoryReads {
  constructor(private readonly options: MemoryReadsOptions) {}

  async get(key: string, options: ReadOptions): Promise<Entry | undefined> {
    const { state, gate, backing } = this.options;
    const { freshness, signal } = options;
    this.requireCurrent(freshness, `get ${key}`);
    if (this.isForBacking(key, freshness)) return backing.get(key, options);
    if (freshness.kind !== 'exact') await gate.wait(freshness, `get ${key}`, signal);
    return state.get(key);
  }

  async list(prefix: string, options: ListOptions): Promise<ListResult> {
    const { state, gate, backing } = this.options;
    const { freshness, after, limit, signal } = options;
    this.requireCurrent(freshness, `list ${prefix}`);
    if (this.isForBacking(prefix, freshness)) return backing.list(prefix, options);
    // The state at an exact revision is in memory only until the next change: no waiting then.
    if (freshness.kind !== 'exact') await gate.wait(freshness, `list ${prefix}`, signal);
    const revision = freshness.kind === 'exact' ? freshness.revision : state.revision;
    const page = state.page(prefix, after, limit);
    this.options.onList?.(prefix, page.entries.length);
    return { ...page, revision };
  }

  async *watch(prefix: string, options: WatchOptions): WatchStream {
    const { state, gate, backing } = this.options;
    const { signal } = options;
    if (!state.covers(prefix)) {
      yield* backing.watch(prefix, options);
      return;
    }
    await gate.ready(READY_WAIT_MS, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    let { after } = options;
    if (!signal.aborted) this.options.requireCurrent?.(after, `watch ${prefix}`);
    while (!signal.aborted) {
      const subscription = this.subscribe(prefix, after, options.paced);
      if (subscription) {
        yield* this.follow(subscription, { ...options, after });
        return;
      }
      for await (const { items, revision } of backing.replay(prefix, { after, signal })) {
        after = revision;
        if (items.length > 0) yield items;
        if (after >= state.partition(prefix).window.floor) break;
      }
    }
  }

  /** Joins the watchers of the prefix, with what memory has behind `after`; undefined when that is too long ago. */
  private subscribe(prefix: string, after: number, paced?: boolean): Subscription | undefined {
    const partition = this.options.state.partition(prefix);
    const backlog = partition.since(prefix, after);
    if (!backlog) return undefined;
    const queue = new WatchQueue(after, this.options.watchBuffer);
    if (backlog.length > 0) queue.push(backlog);
    return { queue, partition, unsubscribe: partition.subscribe(prefix, queue, paced) };
  }

  /** The part of a watch that is served from memory. */
  private async *follow(
    subscription: Subscription,
    { after, signal, progressMs }: WatchOptions,
  ): WatchStream {
    const { queue, unsubscribe } = subscription;
    const stopProgress =
      progressMs === undefined ? undefined : this.markProgress(subscription, after, progressMs);
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

  private markProgress(
    { queue, partition }: Subscription,
    after: number,
    progressMs: number,
  ): () => void {
    const { state } = this.options;
    // For the sake of the connection, which goes by the machine's time.
    const clock = machineTime(this.options.clock);
    const mark = (): void => {
      partition.catchUp();
      queue.push([{ kind: 'progress', revision: Math.max(after, state.revision) }]);
      cancel = clock.after(progressMs, mark, { unref: true });
    };
    let cancel = clock.after(progressMs, mark, { unref: true });
    return () => cancel();
  }

  private requireCurrent(freshness: Freshness, what: string): void {
    if (freshness.kind === 'exact') this.options.requireCurrent?.(freshness.revision, what);
  }

  private isForBacking(keyOrPrefix: string, freshness: Freshness): boolean {
    const { state, quorumReads } = this.options;
    if (!state.covers(keyOrPrefix)) return true;
    if (freshness.kind === 'exact') return !state.isSameAt(keyOrPrefix, freshness.revision);
    return quorumReads && freshness.kind === 'consistent';
  }
}
