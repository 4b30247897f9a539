import type { Clock } from '@orrery/component';

/** Allows `burst` at once and `perSecond` on average. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    private perSecond: number,
    private readonly burst: number,
    private readonly clock: Clock,
  ) {
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  /** Changes the rate from now on; 0 lets nothing through. */
  setRate(perSecond: number): void {
    this.#refill();
    this.perSecond = perSecond;
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(): void {
    const now = this.clock.monotonic();
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
  }
}
