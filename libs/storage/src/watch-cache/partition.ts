import type { StoredEntry } from '../etcd3/stored-entry.js';
import type { StorageError } from '../storage-error.js';
import type { WatchItem } from '../storage.js';
import { EventWindow } from './event-window.js';
import type { CachedEvent, WindowLimits } from './event-window.js';
import { KeyIndex } from './key-index.js';
import type { WatchQueue } from './watch-queue.js';

/** What the cache holds of one resource (the first path segment behind the keyspace): state, recent events, watchers. */
export class Partition {
  readonly window: EventWindow;
  /** Revision of the latest change: the state in memory is the state at every revision from here to the cache's. */
  changedAt: number;
  private readonly watchers = new Map<string, Set<WatchQueue>>();
  private pending: CachedEvent[] = [];

  constructor(
    limits: WindowLimits,
    floor: number,
    readonly index = new KeyIndex(),
  ) {
    this.window = new EventWindow(limits, floor);
    this.changedAt = floor;
  }

  load(entry: StoredEntry): void {
    this.index.set(entry);
  }

  /** Applies a put and remembers its event for {@link flush}. */
  put(entry: StoredEntry): void {
    const previous = this.index.set(entry);
    const { revision } = entry;
    this.remember(
      previous
        ? { type: 'MODIFIED', entry, previous, revision }
        : { type: 'ADDED', entry, revision },
    );
  }

  remove(key: string, revision: number): void {
    const previous = this.index.delete(key);
    if (!previous) return;
    this.remember({ type: 'DELETED', entry: previous.at(revision).detach(), previous, revision });
  }

  /** Hands the remembered events to the watchers: one shared batch for all watchers of a prefix. */
  flush(): void {
    const events = this.pending;
    this.pending = [];
    if (this.watchers.size === 0) return;
    const items = events.map((event): WatchItem => ({ kind: 'event', event }));
    for (const [prefix, queues] of this.watchers) {
      const batch = items.filter((item) => isBelow(item, prefix));
      if (batch.length > 0) for (const queue of queues) queue.push(batch);
    }
  }

  /** Events above `revision` below `prefix`; undefined when the window does not reach back that far. */
  since(prefix: string, revision: number): readonly WatchItem[] | undefined {
    if (revision < this.window.floor) return undefined;
    return this.window
      .since(revision)
      .filter(({ entry }) => entry.key.startsWith(prefix))
      .map((event) => ({ kind: 'event', event }));
  }

  subscribe(prefix: string, queue: WatchQueue): () => void {
    const queues = this.watchers.get(prefix) ?? new Set();
    this.watchers.set(prefix, queues.add(queue));
    return () => {
      queues.delete(queue);
      if (queues.size === 0 && this.watchers.get(prefix) === queues) this.watchers.delete(prefix);
    };
  }

  /** Drops everything; watchers are told why. */
  reset(error: StorageError): void {
    this.index.clear();
    this.pending = [];
    const cut = [...this.watchers.values()];
    this.watchers.clear();
    for (const queues of cut) for (const queue of queues) queue.end(error);
  }

  private remember(event: CachedEvent): void {
    this.changedAt = event.revision;
    this.window.push(event);
    this.pending.push(event);
  }
}

function isBelow(item: WatchItem, prefix: string): boolean {
  return item.kind === 'event' && item.event.entry.key.startsWith(prefix);
}
