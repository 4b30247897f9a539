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
 * Fills the state: a paged load, then one watch over every key of etcd, so that every revision has an event and
 * "seen revision R" needs no word from etcd.
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
      try {
        await this.load(signal);
        await this.read(signal);
      } catch (error) {
        if (signal.aborted) return;
        onTrouble('watch cache starts over', error);
        if (state.revision > 0) this.reset();
        else await client.clock.sleep(LOAD_RETRY_MS, signal).catch(() => undefined);
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
    this.invalid = undefined;
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

  private async read(signal: AbortSignal): Promise<void> {
    const { client, state, gate, onTrouble } = this.options;
    while (!signal.aborted) {
      this.stream = new AbortController();
      const batches = feed(client, {
        range: ALL_KEYS,
        after: state.revision,
        afterWasSeen: true,
        previous: false,
        signal: AbortSignal.any([signal, this.stream.signal]),
        firstTurn: this.turn,
        onRetry: (error) => onTrouble('watch stream broke, resuming', error),
      });
      for await (const batch of batches) {
        if (this.invalid !== undefined) break;
        state.apply(batch);
        for (const follower of this.followers) follower.apply(batch);
        gate.reached(state.revision);
      }
      if (this.invalid !== undefined) throw new StorageError('compacted', this.invalid);
    }
  }
}
