import { describe, expect, it } from '@jest/globals';
import { SteppedClock } from './stepped-clock.js';

const HOUR = 3_600_000;

describe('a clock that can be put ahead', () => {
  it('plays what falls due in a step, each thing at its own time and in order', async () => {
    const clock = new SteppedClock();
    const start = clock.monotonic();
    const seen: [string, number][] = [];
    const note = (name: string) => (): void => {
      seen.push([name, Math.round((clock.monotonic() - start) / 1000)]);
    };
    clock.after(1_800_000, note('half an hour'));
    clock.after(60_000, note('a minute'));
    const cancel = clock.after(120_000, note('cancelled'));
    cancel();
    await clock.step(HOUR, 0);
    expect(seen).toEqual([
      ['a minute', 60],
      ['half an hour', 1800],
    ]);
    expect(clock.offset).toBeGreaterThanOrEqual(HOUR);
  });

  it('lets what renews itself renew itself through a long step', async () => {
    const clock = new SteppedClock();
    let beats = 0;
    let longest = 0;
    let last = clock.monotonic();
    const beat = (): void => {
      beats += 1;
      longest = Math.max(longest, clock.monotonic() - last);
      last = clock.monotonic();
      clock.after(10_000, beat, { unref: true });
    };
    clock.after(10_000, beat, { unref: true });
    await clock.step(HOUR, 0);
    expect(beats).toBeGreaterThanOrEqual(359);
    expect(longest).toBeLessThan(11_000);
  });

  it('shortens a wait that is under way, also one that the step does not end', async () => {
    const clock = new SteppedClock();
    const before = performance.now();
    const slept = clock.sleep(HOUR + 20);
    await clock.step(HOUR, 0);
    await slept;
    expect(performance.now() - before).toBeLessThan(HOUR / 100);
  });

  it('ends a wait when its signal aborts', async () => {
    const clock = new SteppedClock();
    const stop = new AbortController();
    const slept = clock.sleep(HOUR, stop.signal);
    stop.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
  });
});
