import type { Clock } from '@orrery/component';

/** How many frames of one sort a connection may send: `burst` at once, `perSecond` in the long run. */
export class FrameBudget {
  private left: number;
  private filledAt: number;

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly burst: number; readonly perSecond: number },
  ) {
    this.left = limits.burst;
    this.filledAt = clock.monotonic();
  }

  /** False when there is nothing left: a flood. */
  spend(): boolean {
    const now = this.clock.monotonic();
    const { burst, perSecond } = this.limits;
    this.left = Math.min(burst, this.left + ((now - this.filledAt) / 1000) * perSecond) - 1;
    this.filledAt = now;
    return this.left >= 0;
  }
}
