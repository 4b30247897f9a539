import { describe, expect, it } from '@jest/globals';
import { SteppedClock, silentLogger } from '@orrery/component';
import { RuntimeError } from '../runtime/runtime.js';
import type { RuntimePod } from '../runtime/runtime.js';
import { Pleg } from './pleg.js';
import { PodCache } from './pod-cache.js';

const notThere = (): RuntimeError => new RuntimeError('Unavailable', 'no such socket');

/** A runtime without pods that answers from a moment on. */
class LateRuntime {
  constructor(private readonly isUp: () => boolean) {}

  listPods(): Promise<readonly RuntimePod[]> {
    return this.isUp() ? Promise.resolve([]) : Promise.reject(notThere());
  }

  getPod(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async *changes(signal: AbortSignal): AsyncIterable<string> {
    if (!this.isUp()) throw notThere();
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    yield '';
  }
}

describe('the generator of pod events', () => {
  it('is healthy within a moment of the start of its runtime, which may come up after it', async () => {
    const clock = new SteppedClock();
    const upAt = clock.monotonic() + 2_000;
    const runtime = new LateRuntime(() => clock.monotonic() >= upAt);
    const pleg = new Pleg(runtime, new PodCache(), clock, silentLogger);
    const stop = new AbortController();
    const running = pleg.start(stop.signal);
    for (let i = 0; i < 10; i++) await clock.step(100);
    expect(pleg.isHealthy()).toBe(false);
    for (let i = 0; i < 12; i++) await clock.step(100);
    expect(pleg.isHealthy()).toBe(true);
    stop.abort(new Error('done'));
    await running;
  });
});
