import { describe, expect, it } from '@jest/globals';
import { SteppedClock, silentLogger } from '@orrery/component';
import { StartHookRunner } from './start-hook-runner.js';
import type { StartHook } from './start-hooks.js';

function runnerOf(hooks: readonly StartHook[]) {
  const clock = new SteppedClock();
  const stop = new AbortController();
  const runner = new StartHookRunner(hooks, { logger: silentLogger, clock, signal: stop.signal });
  const unready = async (): Promise<string[]> => {
    const answers = await Promise.all(
      runner.checks().map(async ({ name, check }) => ((await check()) === undefined ? [] : [name])),
    );
    return answers.flat();
  };
  return { runner, unready, clock, stop };
}

const done = (): Promise<void> => Promise.resolve();

describe('StartHookRunner', () => {
  it('runs a hook after those that it names, and others beside them', async () => {
    const ran: string[] = [];
    const note = (name: string, after?: readonly string[]): StartHook => ({
      name,
      ...(after ? { after } : {}),
      run: async () => {
        ran.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        ran.push(`${name} ends`);
      },
    });
    const { runner, unready } = runnerOf([note('a'), note('b'), note('c', ['a', 'b'])]);
    await runner.run();
    expect(ran.slice(0, 2)).toEqual(['a begins', 'b begins']);
    expect(ran.slice(-2)).toEqual(['c begins', 'c ends']);
    expect(await unready()).toEqual([]);
  });

  it('runs a hook that failed again, and keeps it and what comes after it unready until then', async () => {
    let tries = 0;
    const hooks: StartHook[] = [
      {
        name: 'flaky',
        run: () => (tries++ === 0 ? Promise.reject(new Error('not yet')) : done()),
      },
      { name: 'after', after: ['flaky'], run: done },
      { name: 'beside', run: done },
    ];
    const { runner, unready, clock } = runnerOf(hooks);
    const running = runner.run();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await unready()).toEqual(['poststarthook/flaky', 'poststarthook/after']);
    await clock.step(60_000);
    await running;
    expect(await unready()).toEqual([]);
    expect(tries).toBe(2);
  });
});
