import { StorageError } from '../storage-error.js';
import type { WatchItem } from '../storage.js';

/** Hands batches from the cache to one watcher; the batches are shared by all watchers, the queue is not. */
export class WatchQueue implements AsyncIterator<readonly WatchItem[], undefined> {
  private batches: (readonly WatchItem[])[] = [];
  private queued = 0;
  private wake: (() => void) | undefined;
  private ended = false;
  private error: StorageError | undefined;

  /** `after`: events at or below it are kept back; `most`: items queued before the watcher is cut. */
  constructor(
    private readonly after: number,
    private readonly most: number,
  ) {}

  push(batch: readonly WatchItem[]): void {
    if (this.ended) return;
    const items = isAbove(batch[0], this.after)
      ? batch
      : batch.filter((item) => isAbove(item, this.after));
    if (items.length === 0) return;
    if (this.queued > 0 && this.queued + items.length > this.most) {
      this.batches = [];
      this.end(
        new StorageError('slow', `the watcher fell ${this.queued} events behind and was cut`),
      );
      return;
    }
    this.queued += items.length;
    this.batches.push(items);
    this.wakeUp();
  }

  /** Ends the stream behind what is queued; with an error, the consumer gets it then. */
  end(error?: StorageError): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.wakeUp();
  }

  async next(): Promise<IteratorResult<readonly WatchItem[], undefined>> {
    for (;;) {
      const [first, second] = this.batches;
      if (first) {
        // A consumer that was busy gets all that came meanwhile at once.
        const batch = second ? this.batches.flat() : first;
        this.batches = [];
        this.queued = 0;
        return { done: false, value: batch };
      }
      if (this.error) throw this.error;
      if (this.ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private wakeUp(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}

function isAbove(item: WatchItem | undefined, after: number): boolean {
  return item !== undefined && (item.kind === 'progress' || item.event.revision > after);
}
