import type { StoredEntry } from '../etcd3/stored-entry.js';
import type { StorageError } from '../storage-error.js';
import type { WatchItem } from '../storage.js';
import { EventWindow } from './event-window.js';
import type { CachedEvent, WindowLimits } from './event-window.js';
import { KeyIndex } from './key-index.js';
import type { WatchQueue } from './watch-queue.js';
import { PacedWatchers, Watchers } from './watchers.js';

/** What the cache holds of one resource (the first path segment behind the keyspace): state, recent events, watchers. */
export class Partition {
  readonly window: EventWindow;
  /** Revision of the latest change: the state in memory is the state at every revision from here to the cache's. */
  changedAt: number;
  private readonly watchers = new Watchers();
  private readonly paced = new PacedWatchers();
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
    if (!this.watchers.any && !this.paced.any) return;
    const items = events.map((event): WatchItem => ({ kind: 'event', event }));
    this.watchers.hand(items);
    this.paced.hand(items);
  }

  /** Lets no watcher wait for what has been applied. */
  catchUp(): void {
    this.paced.flush();
  }

  /** Events above `revision` below `prefix`; undefined when the window does not reach back that far. */
  since(prefix: string, revision: number): readonly WatchItem[] | undefined {
    if (revision < this.window.floor) return undefined;
    return this.window
      .since(revision)
      .filter(({ entry }) => entry.key.startsWith(prefix))
      .map((event) => ({ kind: 'event', event }));
  }

  /** `paced` = the batches of a busy resource may come some milliseconds later, and larger. */
  subscribe(prefix: string, queue: WatchQueue, paced = false): () => void {
    if (!paced) return this.watchers.add(prefix, queue);
    // What waits for the others is in the window already, from which this one has it.
    this.paced.flush();
    return this.paced.add(prefix, queue);
  }

  /** Drops everything; watchers are told why. */
  reset(error: StorageError): void {
    this.index.clear();
    this.pending = [];
    this.watchers.end(error);
    this.paced.end(error);
  }

  private remember(event: CachedEvent): void {
    this.changedAt = event.revision;
    this.window.push(event);
    this.pending.push(event);
  }
}
