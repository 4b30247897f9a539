import { SystemClock } from '@orrery/component';
import type { Cancel } from '@orrery/component';
import type { StorageError } from '../storage-error.js';
import type { WatchItem } from '../storage.js';
import type { WatchQueue } from './watch-queue.js';

/** Real time, whatever clock the cluster goes by. */
const clock = new SystemClock();

/** Batches that may follow one another at once, and the time between those beyond: so long that writing them is a part of it only. */
const BURST = 4;
const GAP_MS = 8;
const GAP_PER_WATCHER_MS = 0.08;
const LONGEST_GAP_MS = 80;

/** The watchers of one resource by prefix; all watchers of a prefix are handed the same batches. */
export class Watchers {
  private readonly byPrefix = new Map<string, Set<WatchQueue>>();

  get any(): boolean {
    return this.byPrefix.size > 0;
  }

  get count(): number {
    let count = 0;
    for (const queues of this.byPrefix.values()) count += queues.size;
    return count;
  }

  add(prefix: string, queue: WatchQueue): () => void {
    const queues = this.byPrefix.get(prefix) ?? new Set();
    this.byPrefix.set(prefix, queues.add(queue));
    return () => {
      queues.delete(queue);
      if (queues.size === 0 && this.byPrefix.get(prefix) === queues) this.byPrefix.delete(prefix);
    };
  }

  hand(items: readonly WatchItem[]): void {
    for (const [prefix, queues] of this.byPrefix) {
      const batch = items.filter((item) => isBelow(item, prefix));
      if (batch.length > 0) for (const queue of queues) queue.push(batch);
    }
  }

  end(error: StorageError): void {
    const cut = [...this.byPrefix.values()];
    this.byPrefix.clear();
    for (const queues of cut) for (const queue of queues) queue.end(error);
  }
}

/**
 * Watchers at the other end of connections. What happens within some milliseconds on a busy resource is handed over as one batch
 * for all of them, since what a write to a connection costs is more than the events in it. A quiet resource is never delayed.
 */
export class PacedWatchers extends Watchers {
  private waiting: WatchItem[] = [];
  private free = 0;
  private gap = GAP_MS;
  private cancel: Cancel | undefined;

  override hand(items: readonly WatchItem[]): void {
    if (!this.any) return;
    for (const item of items) this.waiting.push(item);
    if (this.cancel) return;
    const now = clock.monotonic();
    const ms = this.free - now - (BURST - 1) * this.gap;
    if (ms > 0) this.cancel = clock.after(ms, () => this.flush());
    else this.flush();
  }

  /** Hands over what waits: whoever joins or is told a revision now must not get it afterwards. */
  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.gap = Math.min(Math.max(GAP_MS, this.count * GAP_PER_WATCHER_MS), LONGEST_GAP_MS);
    this.free = Math.max(this.free, clock.monotonic()) + this.gap;
    super.hand(waiting);
  }

  override end(error: StorageError): void {
    this.cancel?.();
    this.cancel = undefined;
    this.waiting = [];
    super.end(error);
  }
}

function isBelow(item: WatchItem, prefix: string): boolean {
  return item.kind === 'event' && item.event.entry.key.startsWith(prefix);
}
