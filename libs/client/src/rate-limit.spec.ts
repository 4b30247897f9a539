import { describe, expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.js';

/** One on which a wait is noted and not waited for. */
class NotingClock {
  now = 0;
  readonly waits: number[] = [];
  monotonic(): number {
    return this.now;
  }
  sleep(ms: number): Promise<void> {
    this.waits.push(Math.round(ms));
    return Promise.resolve();
  }
}

describe('RateLimit', () => {
  it.each([
    { name: 'a burst goes at once', burst: 3, requests: 3, waits: [] },
    { name: 'the rest at an even pace', burst: 2, requests: 5, waits: [50, 100, 150] },
    { name: 'a burst of none is one', burst: 0, requests: 3, waits: [50, 100] },
  ])('$name', async ({ burst, requests, waits }) => {
    const clock = new NotingClock();
    const limit = new RateLimit(20, burst, clock);
    for (let i = 0; i < requests; i++) await limit.take();
    expect(clock.waits).toEqual(waits);
  });

  it('forgets its requests with time, and saves up no more than a burst', async () => {
    const clock = new NotingClock();
    const limit = new RateLimit(20, 2, clock);
    for (let i = 0; i < 3; i++) await limit.take();
    clock.now = 60_000;
    for (let i = 0; i < 3; i++) await limit.take();
    expect(clock.waits).toEqual([50, 50]);
  });
});
