import type { Cancel, Clock } from '@orrery/component';
import { ItemBackoff } from './item-backoff.js';
import type { QueueMetrics } from './queue-metrics.js';

interface Delayed {
  readonly due: number;
  readonly cancel: Cancel;
}

/**
 * Keys to reconcile, each at most once at a time and at most once waiting.
 *
 *   addAfter ──(due)──> add ──> ready ──get──> processing ──done──> (gone)
 *                        └── while processing: dirty ──done──> ready
 */
export class WorkQueue {
  #ready: string[] = [];
  #head = 0;
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  #getters: ((key: string | undefined) => void)[] = [];
  #closed = false;
  readonly #backoff = new ItemBackoff();

  constructor(
    private readonly clock: Clock,
    private readonly metrics?: QueueMetrics,
  ) {}

  get length(): number {
    return this.#ready.length - this.#head;
  }

  /** Keys that wait, are in work, or fall due within `soonMs`. */
  busy(soonMs: number): number {
    const soon = this.clock.monotonic() + soonMs;
    const due = [...this.#delayed.values()].filter((delayed) => delayed.due <= soon);
    return this.length + this.#processing.size + due.length;
  }

  add(key: string): void {
    if (this.#closed || this.#waiting.has(key) || this.#dirty.has(key)) return;
    this.metrics?.added(key);
    if (this.#processing.has(key)) this.#dirty.add(key);
    else this.#enqueue(key);
  }

  /** Adds after `ms`; an earlier time already asked for stands. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const due = this.clock.monotonic() + ms;
    const known = this.#delayed.get(key);
    if (this.#closed || (known && known.due <= due)) return;
    known?.cancel();
    const cancel = this.clock.after(
      Math.min(ms, 2 ** 31 - 1),
      () => {
        this.#delayed.delete(key);
        this.add(key);
      },
      { unref: true },
    );
    this.#delayed.set(key, { due, cancel });
  }

  /** Adds after a wait that grows with the key's failures. */
  addRateLimited(key: string): void {
    this.metrics?.retried();
    this.addAfter(key, this.#backoff.next(key));
  }

  /** The key went well: its next failure waits from the start again. */
  forget(key: string): void {
    this.#backoff.forget(key);
  }

  failures(key: string): number {
    return this.#backoff.failures(key);
  }

  /** The next key, when there is one; undefined once closed or aborted. Must be followed by {@link done}. */
  get(signal?: AbortSignal): Promise<string | undefined> {
    if (this.#closed || signal?.aborted) return Promise.resolve(undefined);
    const key = this.#dequeue();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => {
      const getter = (next: string | undefined): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve(next);
      };
      const onAbort = (): void => {
        this.#getters = this.#getters.filter((other) => other !== getter);
        resolve(undefined);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#getters.push(getter);
    });
  }

  done(key: string): void {
    this.#processing.delete(key);
    this.metrics?.finished(key);
    if (this.#dirty.delete(key)) this.#enqueue(key);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const getter of this.#getters.splice(0)) getter(undefined);
  }

  #enqueue(key: string): void {
    const getter = this.#getters.shift();
    if (getter) {
      this.#start(key);
      getter(key);
      return;
    }
    this.#waiting.add(key);
    this.#ready.push(key);
    this.metrics?.depth(this.length);
  }

  #dequeue(): string | undefined {
    const key = this.#ready[this.#head];
    if (key === undefined) return undefined;
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    this.#waiting.delete(key);
    this.metrics?.depth(this.length);
    this.#start(key);
    return key;
  }

  #start(key: string): void {
    this.#processing.add(key);
    this.metrics?.started(key);
  }
}
