import type { Clock } from '@orrery/component';

import { futureRevision } from '../etcd3/etcd-reader.js';
import { StorageError } from '../storage-error.js';
import type { Freshness } from '../storage.js';
import type { RevisionBarrier } from './revision-barrier.js';
import { RevisionWaiters } from './revision-waiters.js';

export interface FreshnessGateOptions {
  readonly clock: Clock;
  /** How far memory is. */
  readonly state: { readonly revision: number };
  readonly barrier: RevisionBarrier;
  /** The watch that fills memory lags: another member is to serve it. */
  readonly onLag: () => void;
  /** etcd answered a revision below one that memory has seen. */
  readonly onReturn: (revision: number) => void;
}

/** k8s apiserver/pkg/storage/cacher/watch_cache.go: blockTimeout. */
const FUTURE_WAIT_MS = 3000;
/** A watch that lags this long behind a quorum read is reopened on another member. */
const LAG_MS = 1000;
const CONSISTENT_WAIT_MS = 5000;
export const READY_WAIT_MS = 10_000;

/** Holds readers back until memory is as fresh as they ask; what is fed by one watch shares one gate. */
export class FreshnessGate {
  private readonly waiters: RevisionWaiters;

  constructor(private readonly options: FreshnessGateOptions) {
    this.waiters = new RevisionWaiters(options.clock);
  }

  /** Memory has seen everything up to `revision`. */
  reached(revision: number): void {
    this.waiters.reached(revision);
  }

  /** Resolves when memory has been filled. Throws 'unavailable' when that takes longer than `timeoutMs`. */
  async ready(timeoutMs = READY_WAIT_MS, signal?: AbortSignal): Promise<void> {
    if (this.options.state.revision > 0) return;
    if (await this.waiters.wait(1, timeoutMs, signal)) return;
    throwIfAborted('watch cache', signal);
    throw new StorageError('unavailable', 'the watch cache is not filled yet');
  }

  /** Waits until memory is as fresh as asked. */
  async wait(freshness: Freshness, what: string, signal?: AbortSignal): Promise<void> {
    do await this.waitOnce(freshness, what, signal);
    while (this.options.state.revision === 0);
  }

  private async waitOnce(freshness: Freshness, what: string, signal?: AbortSignal): Promise<void> {
    const { state } = this.options;
    await this.ready(READY_WAIT_MS, signal);
    if (freshness.kind === 'consistent') await this.catchUp(await this.askRevision(), what, signal);
    if (freshness.kind !== 'notOlderThan') return;
    const { revision } = freshness;
    if (state.revision >= revision) return;
    if (await this.waiters.wait(revision, FUTURE_WAIT_MS, signal)) return;
    throwIfAborted(what, signal);
    throw futureRevision(what, revision, state.revision);
  }

  private async askRevision(): Promise<number> {
    const { state, barrier, onReturn } = this.options;
    const seen = state.revision;
    const revision = await barrier.next();
    if (revision < seen) onReturn(revision);
    return revision;
  }

  private async catchUp(revision: number, what: string, signal?: AbortSignal): Promise<void> {
    const { state, onLag } = this.options;
    if (state.revision >= revision) return;
    if (await this.waiters.wait(revision, LAG_MS, signal)) return;
    throwIfAborted(what, signal);
    onLag();
    if (await this.waiters.wait(revision, CONSISTENT_WAIT_MS - LAG_MS, signal)) return;
    throwIfAborted(what, signal);
    const message = `${what}: the watch cache is at ${state.revision}, etcd at ${revision}`;
    throw new StorageError('timeout', message, { wroteNothing: true });
  }
}

function throwIfAborted(what: string, signal?: AbortSignal): void {
  if (signal?.aborted) throw new StorageError('aborted', `${what}: the caller gave up`);
}
