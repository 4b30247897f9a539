import type { Cancel, Clock } from './clock.js';
import { SystemClock, sleepBy } from './clock.js';

interface Timer {
  readonly due: number;
  /** How long it was set for. */
  readonly ms: number;
  readonly callback: () => void;
  readonly options: { readonly unref?: boolean };
  cancel: Cancel;
}

/** How far a step goes at once while something falls due, so that what renews something in time still does. */
const SLICE_MS = 5_000;
/** What is set for longer is no heartbeat: slices end there. */
const LONG_MS = 45_000;
/** Work that takes longer (a hook that never answers) holds a step up no further. */
const LONGEST_HOLD_MS = 5_000;
/** Turns of the event loop in which what has been sent within this process arrives, and is answered. */
const TURNS = 8;

/**
 * A clock that goes with the machine's and can be put ahead. What was to happen meanwhile happens, in its order: a step
 * plays the timers that fall due in it, each at its own time, and goes on when the work that they began is done.
 */
export class SteppedClock implements Clock {
  private ahead = 0;
  private readonly timers = new Set<Timer>();
  /** When each hold that is not released began, in the machine's time. */
  private readonly holds = new Set<{ readonly since: number }>();
  private onReleased: () => void = () => undefined;

  constructor(
    readonly machine: Clock = new SystemClock(),
    private readonly sliceMs = SLICE_MS,
  ) {}

  /** Milliseconds by which this clock is ahead of the machine's. */
  get offset(): number {
    return this.ahead;
  }

  now(): number {
    return Math.floor(this.machine.now() + this.ahead);
  }

  monotonic(): number {
    return this.machine.monotonic() + this.ahead;
  }

  after(ms: number, callback: () => void, options: { readonly unref?: boolean } = {}): Cancel {
    const timer: Timer = {
      due: this.monotonic() + ms,
      ms,
      options,
      callback: () => {
        this.timers.delete(timer);
        callback();
      },
      cancel: () => undefined,
    };
    timer.cancel = this.machine.after(ms, timer.callback, options);
    this.timers.add(timer);
    return () => {
      timer.cancel();
      this.timers.delete(timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal);
  }

  hold(): Cancel {
    const hold = { since: this.machine.monotonic() };
    this.holds.add(hold);
    return () => {
      this.holds.delete(hold);
      if (this.holds.size === 0) this.onReleased();
    };
  }

  /**
   * Puts the clock ahead by `ms`: from timer to timer where these are far apart, else by slices. After each it waits for the
   * work that was begun, and for what follows from it within `settleMs` of the machine's time.
   */
  async step(ms: number, settleMs = 1): Promise<void> {
    const end = this.ahead + ms;
    while (this.ahead < end) {
      const played = this.advanceTo(this.nextStop(end));
      if (played > 0 || this.isHeld()) await this.settle(settleMs);
    }
    // The machine's timers know nothing of the step: each that is left is set anew.
    for (const timer of this.timers) {
      timer.cancel();
      timer.cancel = this.machine.after(
        Math.max(0, timer.due - this.monotonic()),
        timer.callback,
        timer.options,
      );
    }
  }

  /**
   * Where the next slice ends: not before the first timer, and at each that was set for long, so that what follows from it
   * happens at its time.
   */
  private nextStop(end: number): number {
    const here = this.machine.monotonic();
    let first = Infinity;
    let firstLong = Infinity;
    for (const { due, ms } of this.timers) {
      first = Math.min(first, due);
      if (ms > LONG_MS) firstLong = Math.min(firstLong, due);
    }
    const stop = Math.max(this.ahead + this.sliceMs, first - here);
    return Math.min(end, stop, Math.max(this.ahead, firstLong - here));
  }

  private isHeld(): boolean {
    const oldest = this.machine.monotonic() - LONGEST_HOLD_MS;
    for (const hold of this.holds) if (hold.since <= oldest) this.holds.delete(hold);
    return this.holds.size > 0;
  }

  private async untilReleased(): Promise<void> {
    const late = new AbortController();
    const released = new Promise<void>((resolve) => {
      this.onReleased = resolve;
    });
    const patience = this.machine.sleep(LONGEST_HOLD_MS, late.signal).catch(() => undefined);
    await Promise.race([released, patience]);
    late.abort(new Error('released'));
  }

  private async settle(settleMs: number): Promise<void> {
    for (;;) {
      // Others, such as etcd, tell of what was done a little later.
      await this.machine.sleep(settleMs);
      for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
      const played = this.advanceTo(this.ahead);
      if (this.isHeld()) await this.untilReleased();
      else if (played === 0) return;
    }
  }

  /** Plays what falls due on the way; how many timers that were. */
  private advanceTo(ahead: number): number {
    const target = this.machine.monotonic() + ahead;
    let played = 0;
    for (;;) {
      const due = this.firstDue(target);
      if (!due) break;
      this.ahead = Math.max(this.ahead, due.due - this.machine.monotonic());
      due.cancel();
      due.callback();
      played += 1;
    }
    this.ahead = Math.max(this.ahead, ahead);
    return played;
  }

  private firstDue(target: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers)
      if (timer.due <= target && (!first || timer.due < first.due)) first = timer;
    return first;
  }
}
