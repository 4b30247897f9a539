import { describe, expect, it } from '@jest/globals';
import { SystemClock, holding } from './clock.js';
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

  it('goes from timer to timer while nothing else falls due', async () => {
    const looks: number[] = [];
    const machine = new SystemClock();
    const clock = new SteppedClock(
      Object.assign(Object.create(machine) as SystemClock, {
        sleep: (ms: number) => {
          looks.push(ms);
          return machine.sleep(ms);
        },
      }),
    );
    const seen: number[] = [];
    const start = clock.monotonic();
    for (const due of [600_000, 1_800_000, 7_200_000])
      clock.after(due, () => seen.push(Math.round((clock.monotonic() - start) / 1000)), {
        unref: true,
      });
    await clock.step(HOUR, 0);
    expect(seen).toEqual([600, 1800]);
    expect(looks.length).toBeLessThan(10);
  });

  it('ends a slice where something falls due that was set long before', async () => {
    const clock = new SteppedClock();
    const start = clock.monotonic();
    const beat = (): void => {
      clock.after(1000, beat, { unref: true });
    };
    beat();
    const done = clock.sleep(62_300).then(() => Math.round((clock.monotonic() - start) / 100));
    await clock.step(70_000, 0);
    expect(await done).toBe(623);
  });

  it('waits for work that a timer began, however slow the machine is', async () => {
    const clock = new SteppedClock();
    const machine = new SystemClock();
    let renewals = 0;
    let longest = 0;
    let last = clock.monotonic();
    const renew = async (): Promise<void> => {
      await holding(clock, () => machine.sleep(60));
      renewals += 1;
      longest = Math.max(longest, clock.monotonic() - last);
      last = clock.monotonic();
      clock.after(2_000, () => void renew(), { unref: true });
    };
    clock.after(2_000, () => void renew(), { unref: true });
    await clock.step(60_000);
    expect(renewals).toBeGreaterThan(8);
    expect(longest).toBeLessThan(8_000);
  });

  it('goes on without work that does not end', async () => {
    const clock = new SteppedClock();
    clock.hold();
    const before = performance.now();
    await clock.step(HOUR);
    expect(clock.offset).toBe(HOUR);
    expect(performance.now() - before).toBeGreaterThan(4_000);
  }, 30_000);
});
