import type { Clock } from '@orrery/component';

/** Turns are given this often, to those whose time has come since. */
const TICK_MS = 50;

/** Gives each of many things its turn once in a period, spread evenly over it, by one timer for all. */
export class Rounds<T> {
  private readonly items: T[] = [];
  private next = 0;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>,
    private readonly periodMs: number,
    private readonly turn: (item: T) => void,
  ) {}

  add(item: T): void {
    this.items.push(item);
  }

  /** Goes round until the signal aborts; after a pause nobody gets more than one turn at once. */
  async start(signal: AbortSignal): Promise<void> {
    let owed = 0;
    let last = this.clock.monotonic();
    while (!signal.aborted) {
      await this.clock.sleep(TICK_MS, signal).catch(() => undefined);
      const now = this.clock.monotonic();
      owed += ((now - last) / this.periodMs) * this.items.length;
      owed = Math.min(owed, this.items.length);
      last = now;
      for (; owed >= 1 && !signal.aborted; owed--) this.giveTurn();
    }
  }

  private giveTurn(): void {
    const item = this.items[this.next++ % this.items.length];
    if (item !== undefined) this.turn(item);
  }
}
