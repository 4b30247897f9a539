import { describe, expect, it } from '@jest/globals';
import type { ObjectKey, Reaction } from '@orrery/apimachinery';
import { connect, currentReaction } from '@orrery/client';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { eventually } from '@orrery/testkit';
import { ControllerRunner } from './controller-runner.js';
import { defineController } from './definition.js';
import { LeadershipLost } from './election/leader-elector.js';
import { WriteFence } from './writes/write-fence.js';

describe('ControllerRunner', () => {
  it('lets time pass when writes are refused, and keeps the key for the next term', async () => {
    const clock = new SystemClock();
    const base = { clock, random: new SystemRandom(), logger: silentLogger };
    const client = connect({ server: 'https://127.0.0.1:1', clock });
    const informers = new InformerFactory({ ...base, client });
    const definition = defineController('test').initially({ name: 'a' }).build();
    const handled: string[] = [];
    let leads = false;
    const runner = new ControllerRunner(
      definition,
      ({ name }) => {
        if (!leads) return Promise.reject(new LeadershipLost());
        handled.push(name);
        return Promise.resolve(undefined);
      },
      { ...base, informers, fence: new WriteFence(clock) },
    );
    const first = new AbortController();
    const term = runner.run(first.signal);
    // A timer's turn comes, although the key is refused again and again.
    await clock.sleep(1);
    first.abort();
    await term;
    leads = true;
    const second = new AbortController();
    const next = runner.run(second.signal);
    await eventually(() => handled.length > 0);
    second.abort();
    await next;
    runner.close();
    await client.close();
    expect(handled).toEqual(['a']);
  });

  it('tells its reconciler the newest event, again after a failure, and until the key is done', async () => {
    const clock = new SystemClock();
    const base = { clock, random: new SystemRandom(), logger: silentLogger };
    const client = connect({ server: 'https://127.0.0.1:1', clock });
    const informers = new InformerFactory({ ...base, client });
    let add: (key: ObjectKey, revision?: number) => void = () => undefined;
    const definition = {
      ...defineController('test').build(),
      source: (adder: typeof add) => {
        add = adder;
      },
    };
    const told: (Reaction | undefined)[] = [];
    const outcomes = [
      () => Promise.reject(new Error('once')),
      () => Promise.resolve({ requeueAfterMs: 1 }),
      () => Promise.resolve(undefined),
    ];
    const runner = new ControllerRunner(
      definition,
      () => {
        told.push(currentReaction());
        return outcomes.shift()?.() ?? Promise.resolve(undefined);
      },
      { ...base, informers, fence: new WriteFence(clock) },
    );
    add({ name: 'a' }, 7);
    add({ name: 'a' }, 5);
    const term = new AbortController();
    const running = runner.run(term.signal);
    await eventually(() => told.length === 3);
    add({ name: 'a' });
    await eventually(() => told.length === 4);
    term.abort();
    await running;
    runner.close();
    await client.close();
    const seven = { controller: 'test', revision: 7 };
    expect(told).toEqual([
      seven,
      { ...seven, reason: 'tried again' },
      { ...seven, reason: 'the time it waited for has come' },
      { controller: 'test' },
    ]);
  });

  it('does not take the echo of its own write for the reason of the next', async () => {
    const clock = new SystemClock();
    const base = { clock, random: new SystemRandom(), logger: silentLogger };
    const client = connect({ server: 'https://127.0.0.1:1', clock });
    const informers = new InformerFactory({ ...base, client });
    let add: (key: ObjectKey, revision?: number) => void = () => undefined;
    const definition = {
      ...defineController('test').build(),
      source: (adder: typeof add) => {
        add = adder;
      },
    };
    const fence = new WriteFence(clock);
    const told: (number | undefined)[] = [];
    const runner = new ControllerRunner(
      definition,
      () => {
        told.push(currentReaction()?.revision);
        if (told.length > 1) return Promise.resolve(undefined);
        fence.note(() => true, 9);
        // The pod's event comes while the key is handled, and the echo of the write behind it.
        add({ name: 'a' }, 8);
        add({ name: 'a' }, 9);
        return Promise.resolve(undefined);
      },
      { ...base, informers, fence },
    );
    add({ name: 'a' }, 7);
    const term = new AbortController();
    const running = runner.run(term.signal);
    await eventually(() => told.length === 2);
    add({ name: 'a' }, 9);
    await eventually(() => told.length === 3);
    term.abort();
    await running;
    runner.close();
    await client.close();
    expect(told).toEqual([7, 8, 9]);
  });

  it('tells once of each wait for a cache that does not show its own write', async () => {
    const clock = new SystemClock();
    const base = { clock, random: new SystemRandom(), logger: silentLogger };
    const client = connect({ server: 'https://127.0.0.1:1', clock });
    const informers = new InformerFactory({ ...base, client });
    const fence = new WriteFence(clock);
    const told: string[] = [];
    let shown = false;
    let handled = 0;
    let looks = 0;
    const definition = defineController('test')
      .initially({ name: 'a' })
      .onStale(({ plural }) => told.push(plural))
      .build();
    const runner = new ControllerRunner(
      definition,
      () => {
        const isSeen = (): boolean => {
          looks++;
          return shown;
        };
        if (handled++ === 0) fence.note(isSeen, 1, { group: 'apps', plural: 'sets' });
        return Promise.resolve(handled < 2 ? { requeueAfterMs: 0 } : undefined);
      },
      { ...base, informers, fence },
    );
    const term = new AbortController();
    const running = runner.run(term.signal);
    await eventually(() => looks > 4);
    expect([told, handled]).toEqual([['sets'], 1]);
    shown = true;
    await eventually(() => handled === 2);
    term.abort();
    await running;
    runner.close();
    await client.close();
    expect(told).toEqual(['sets']);
  });
});
