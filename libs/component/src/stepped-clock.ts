import type { Cancel, Clock } from './clock.js';
import { SystemClock, sleepBy } from './clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  readonly options: { readonly unref?: boolean };
  cancel: Cancel;
}

/** A step is played in slices of this length, so that what renews something in time still does. */
const SLICE_MS = 5_000;

/**
 * A clock that goes with the machine's and can be put ahead. What was to happen meanwhile happens, in its order: a step
 * plays the timers that fall due in it, each at its own time.
 */
export class SteppedClock implements Clock {
  private ahead = 0;
  private readonly timers = new Set<Timer>();

  constructor(private readonly base: Clock = new SystemClock()) {}

  /** Milliseconds by which this clock is ahead of the machine's. */
  get offset(): number {
    return this.ahead;
  }

  now(): number {
    return this.base.now() + this.ahead;
  }

  monotonic(): number {
    return this.base.monotonic() + this.ahead;
  }

  after(ms: number, callback: () => void, options: { readonly unref?: boolean } = {}): Cancel {
    const timer: Timer = {
      due: this.monotonic() + ms,
      options,
      callback: () => {
        this.timers.delete(timer);
        callback();
      },
      cancel: () => undefined,
    };
    timer.cancel = this.base.after(ms, timer.callback, options);
    this.timers.add(timer);
    return () => {
      timer.cancel();
      this.timers.delete(timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal);
  }

  /**
   * Puts the clock ahead by `ms`. Between slices of five seconds it gives what was due `settleMs` of the machine's time to have
   * its effect (requests travel in the machine's time).
   */
  async step(ms: number, settleMs = 2): Promise<void> {
    const end = this.ahead + ms;
    while (this.ahead < end) {
      const next = Math.min(end, this.ahead + SLICE_MS);
      this.advanceTo(next);
      await this.base.sleep(settleMs);
    }
  }

  private advanceTo(ahead: number): void {
    const target = this.base.monotonic() + ahead;
    for (;;) {
      const due = this.firstDue(target);
      if (!due) break;
      this.ahead = Math.max(this.ahead, due.due - this.base.monotonic());
      due.cancel();
      due.callback();
    }
    this.ahead = Math.max(this.ahead, ahead);
    // The machine's timers know nothing of the step: each that is left is set anew.
    for (const timer of this.timers) {
      timer.cancel();
      timer.cancel = this.base.after(
        Math.max(0, timer.due - this.monotonic()),
        timer.callback,
        timer.options,
      );
    }
  }

  private firstDue(target: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers)
      if (timer.due <= target && (!first || timer.due < first.due)) first = timer;
    return first;
  }
}
