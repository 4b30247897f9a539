import type { Clock } from '@orrery/component';

interface Waiter {
  readonly revision: number;
  readonly wake: (reached: boolean) => void;
}

/** Lets readers wait until the cache has seen a revision. */
export class RevisionWaiters {
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly clock: Clock) {}

  /** The cache has seen everything up to `revision`. */
  reached(revision: number): void {
    for (const waiter of this.waiters) if (waiter.revision <= revision) waiter.wake(true);
  }

  /** True when the revision was reached in time, false after `timeoutMs` or when the signal aborts. */
  wait(revision: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const cancelTimer = this.clock.after(timeoutMs, () => wake(false), { unref: true });
      const onAbort = (): void => wake(false);
      const wake = (reached: boolean): void => {
        cancelTimer();
        this.waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        resolve(reached);
      };
      const waiter: Waiter = { revision, wake };
      this.waiters.add(waiter);
      if (signal?.aborted) wake(false);
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
