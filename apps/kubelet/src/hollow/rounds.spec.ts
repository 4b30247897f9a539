import { describe, expect, it } from '@jest/globals';
import { Rounds } from './rounds.js';

/** Each sleep takes as long as it is told to. */
class SteppingClock {
  private at = 0;

  constructor(
    private readonly stop: AbortController,
    private readonly untilMs: number,
    /** Time that passes in the first sleep beside what it is told. */
    private extraMs = 0,
  ) {}

  monotonic(): number {
    return this.at;
  }

  sleep(ms: number): Promise<void> {
    this.at += ms + this.extraMs;
    this.extraMs = 0;
    if (this.at >= this.untilMs) this.stop.abort();
    return Promise.resolve();
  }
}

async function turnsOf(
  names: readonly string[],
  untilMs: number,
  extraMs = 0,
): Promise<readonly (readonly [string, number])[]> {
  const stop = new AbortController();
  const clock = new SteppingClock(stop, untilMs, extraMs);
  const turns: (readonly [string, number])[] = [];
  const rounds = new Rounds<string>(clock, 1_000, (name) => turns.push([name, clock.monotonic()]));
  for (const name of names) rounds.add(name);
  await rounds.start(stop.signal);
  return turns;
}

describe(Rounds.name, () => {
  it('gives each its turn once in a period, in order, evenly spread', async () => {
    expect(await turnsOf(['a', 'b', 'c', 'd'], 1_600)).toEqual([
      ['a', 250],
      ['b', 500],
      ['c', 750],
      ['d', 1_000],
      ['a', 1_250],
      ['b', 1_500],
    ]);
  });

  it('gives nobody two turns after a pause', async () => {
    expect(await turnsOf(['a', 'b'], 60_100, 60_000)).toEqual([
      ['a', 60_050],
      ['b', 60_050],
    ]);
  });

  it('waits with nobody to give turns to', async () => {
    expect(await turnsOf([], 500)).toEqual([]);
  });
});
