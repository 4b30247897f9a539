import type { Clock } from '@orrery/component';

/** Lets `burst` requests go at once and `perSecond` on average, in the order in which they come (k8s client-go util/flowcontrol). */
export class RateLimit {
  /** When the last of the requests that were let go would have gone at an even pace. */
  #paceMs: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>,
  ) {
    this.#paceMs = clock.monotonic();
  }

  /** Resolves when the next request may go. */
  async take(signal?: AbortSignal): Promise<void> {
    const now = this.clock.monotonic();
    const eachMs = 1000 / this.perSecond;
    this.#paceMs = Math.max(this.#paceMs, now) + eachMs;
    const waitMs = this.#paceMs - now - Math.max(this.burst, 1) * eachMs;
    if (waitMs > 0) await this.clock.sleep(waitMs, signal);
  }
}
