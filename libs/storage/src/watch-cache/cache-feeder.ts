import type { EtcdClient } from '../etcd3/etcd-client.js';
import { feed } from '../etcd3/etcd-feed.js';
import type { FeedBatch } from '../etcd3/etcd-feed.js';
import { EtcdReader } from '../etcd3/etcd-reader.js';
import { ALL_KEYS } from '../etcd3/key-range.js';
import { StorageError } from '../storage-error.js';
import type { CacheState } from './cache-state.js';
import type { FreshnessGate } from './freshness-gate.js';

export interface FeederOptions {
  readonly client: EtcdClient;
  readonly keyspace: string;
  readonly state: CacheState;
  readonly gate: FreshnessGate;
  /** Told about each broken stream and each reload. */
  readonly onTrouble: (message: string, error: unknown) => void;
}

/** Something else that one watch over the keyspace keeps current. */
export interface FeedFollower {
  /** Loads what it keeps as it is at `revision`; what comes later is applied. */
  load(revision: number, signal: AbortSignal): Promise<void>;
  /** A batch of changes, before readers are told that memory has seen it. */
  apply(batch: FeedBatch): void;
  /** Everything is to be loaded anew: watchers end with `error`. */
  reset(error: StorageError): void;
}

const LOAD_RETRY_MS = 200;

/**
 * Fills the state: one watch over every key of etcd, so that every revision has an event and "seen revision R" needs no
 * word from etcd, and once that stands a paged load. The other way round the watch would begin in etcd's past as soon as
 * anybody has written meanwhile, and readers would wait up to 100 ms for it.
 *
 *   loading ──loaded──▶ following ──compacted or invalidated──▶ loading
 */
export class CacheFeeder {
  private readonly reader: EtcdReader;
  /** Ends the present watch stream. */
  private stream = new AbortController();
  private invalid: string | undefined;
  private turn = 0;
  private readonly followers: FeedFollower[] = [];

  constructor(private readonly options: FeederOptions) {
    this.reader = new EtcdReader(options.client);
  }

  follow(follower: FeedFollower): void {
    this.followers.push(follower);
  }

  /** Resolves when the signal has aborted and the watch is closed. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, state, onTrouble } = this.options;
    while (!signal.aborted) {
      this.invalid = undefined;
      const batches = this.open(signal);
      try {
        // Ends early when the signal aborts; the load says so.
        await batches.next();
        await this.load(signal);
        await this.read(batches, signal);
      } catch (error) {
        if (signal.aborted) return;
        onTrouble('watch cache starts over', error);
        if (state.revision > 0) this.reset();
        else await client.clock.sleep(LOAD_RETRY_MS, signal).catch(() => undefined);
      } finally {
        await batches.return(undefined);
      }
    }
  }

  /** Reopens the watch on the next member: the present one lags. */
  reopen(): void {
    this.turn++;
    this.stream.abort();
  }

  /** Drops the state and loads it anew: etcd was restored, or its history was rewritten. */
  invalidate(reason: string): void {
    this.invalid = reason;
    this.stream.abort();
  }

  private reset(): void {
    const { state } = this.options;
    const text = 'the history this watch needs is gone: list again';
    const error = new StorageError('compacted', text, { revision: state.revision });
    state.reset(error);
    for (const follower of this.followers) follower.reset(error);
  }

  private async load(signal: AbortSignal): Promise<void> {
    const { keyspace, state, gate } = this.options;
    let revision = 0;
    state.startLoad();
    const freshness = { kind: 'consistent' } as const;
    for await (const page of this.reader.pages(keyspace, { freshness, signal })) {
      state.load(page.entries);
      revision = page.revision;
    }
    for (const follower of this.followers) await follower.load(revision, signal);
    state.loaded(revision);
    gate.reached(revision);
  }

  /** A watch from `after` on, or from now. */
  private open(signal: AbortSignal, after?: number): AsyncGenerator<FeedBatch> {
    const { client, onTrouble } = this.options;
    this.stream = new AbortController();
    return feed(client, {
      range: ALL_KEYS,
      ...(after === undefined ? {} : { after, afterWasSeen: true }),
      previous: false,
      signal: AbortSignal.any([signal, this.stream.signal]),
      firstTurn: this.turn,
      onRetry: (error) => onTrouble('watch stream broke, resuming', error),
    });
  }

  private async read(opened: AsyncGenerator<FeedBatch>, signal: AbortSignal): Promise<void> {
    const { state, gate } = this.options;
    let batches = opened;
    while (!signal.aborted) {
      for await (const batch of batches) {
        if (this.invalid !== undefined) break;
        const news = notBefore(batch, state.revision);
        state.apply(news);
        for (const follower of this.followers) follower.apply(news);
        gate.reached(state.revision);
      }
      if (this.invalid !== undefined) throw new StorageError('compacted', this.invalid);
      batches = this.open(signal, state.revision);
    }
  }
}

/** Without what the load has brought already. */
function notBefore(batch: FeedBatch, loaded: number): FeedBatch {
  const isNews = ({ kv }: FeedBatch['events'][number]): boolean => Number(kv.mod_revision) > loaded;
  const [first] = batch.events;
  return first && !isNews(first) ? { ...batch, events: batch.events.filter(isNews) } : batch;
}
