import type { StoredEntry } from '../etcd3/stored-entry.js';
import type { StorageEvent } from '../storage.js';
import { firstAtOrAfter } from './key-index.js';

export interface WindowLimits {
  readonly events: number;
  readonly bytes: number;
  /** So many stay, however old they are. */
  readonly stale: number;
}

/** An event whose entry tells its size without being decoded. */
export type CachedEvent = StorageEvent & { readonly entry: StoredEntry };

const revisionOf = (event: CachedEvent): number => event.revision;

/** The latest events of one resource, bounded by count, bytes and age. Every event above `floor` is there. */
export class EventWindow {
  private events: CachedEvent[] = [];
  /** Index of the oldest event kept; what lies before it is cut off when it is the greater part. */
  private head = 0;
  private bytes = 0;

  constructor(
    private readonly limits: WindowLimits,
    public floor: number,
  ) {}

  push(event: CachedEvent): void {
    this.events.push(event);
    this.bytes += sizeOf(event);
    while (this.bytes > this.limits.bytes || this.events.length - this.head > this.limits.events) {
      this.dropOldest();
    }
    this.cutOff();
  }

  /** Lets go of the events up to `revision`, which are too old to be asked for often, but for a few. */
  forget(revision: number): void {
    while (this.events.length - this.head > this.limits.stale) {
      const oldest = this.events[this.head];
      if (!oldest || oldest.revision > revision) break;
      this.dropOldest();
    }
    this.cutOff();
  }

  private cutOff(): void {
    if (this.head > this.limits.stale && this.head * 2 > this.events.length) {
      this.events = this.events.slice(this.head);
      this.head = 0;
    }
  }

  /** The events above `revision`, which must not be below `floor`. */
  since(revision: number): readonly CachedEvent[] {
    const start = firstAtOrAfter(this.events, revisionOf, revision + 1);
    return this.events.slice(Math.max(start, this.head));
  }

  reset(floor: number): void {
    this.events = [];
    this.head = 0;
    this.bytes = 0;
    this.floor = floor;
  }

  private dropOldest(): void {
    const oldest = this.events[this.head];
    if (!oldest) return;
    this.bytes -= sizeOf(oldest);
    this.floor = oldest.revision;
    this.head++;
  }
}

function sizeOf(event: CachedEvent): number {
  return event.entry.size;
}
