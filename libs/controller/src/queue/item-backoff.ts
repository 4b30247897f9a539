export interface BackoffOptions {
  /** First wait; default 5 ms. */
  readonly baseMs?: number;
  /** Longest wait; default 1000 s. */
  readonly maxMs?: number;
}

/** Waits that double with each failure of an item (k8s client-go util/workqueue/default_rate_limiters.go). */
export class ItemBackoff {
  readonly #failures = new Map<string, number>();
  readonly #baseMs: number;
  readonly #maxMs: number;

  constructor({ baseMs = 5, maxMs = 1_000_000 }: BackoffOptions = {}) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  /** Counts a failure and gives the wait before the next try. */
  next(item: string): number {
    const failures = this.#failures.get(item) ?? 0;
    this.#failures.set(item, failures + 1);
    return Math.min(this.#baseMs * 2 ** Math.min(failures, 52), this.#maxMs);
  }

  failures(item: string): number {
    return this.#failures.get(item) ?? 0;
  }

  forget(item: string): void {
    this.#failures.delete(item);
  }
}
