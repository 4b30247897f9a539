import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Turns, giveWay, inTurns } from './turns.js';

const here = fileURLToPath(import.meta.url);

/** Runs something where input is read, as a server's handlers are. */
const onInput = (run: () => Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    readFile(here, () => {
      run().then(resolve, reject);
    });
  });

describe('giveWay()', () => {
  it('lets timers have their turn, which the next immediate of what was read does not', async () => {
    const order: string[] = [];
    await onInput(async () => {
      setTimeout(() => order.push('timer'), 0);
      const until = performance.now() + 2;
      while (performance.now() < until);
      setImmediate(() => order.push('immediate'));
      await giveWay();
      order.push('after');
    });
    expect(order).toEqual(['immediate', 'timer', 'after']);
  });
});

describe('many that give way at once', () => {
  const busy = (ms: number): void => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  it('go on in their order, and share the turns of the event loop among them', async () => {
    let turn = 0;
    let isOver = false;
    const count = (): void => {
      turn += 1;
      if (!isOver) setImmediate(count);
    };
    count();
    const order: number[] = [];
    const turns: number[] = [];
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        await giveWay();
        order.push(i);
        turns.push(turn);
        busy(6);
      }),
    );
    isOver = true;
    expect(order).toEqual(Array.from({ length: 12 }, (_, i) => i));
    const perTurn = [...new Set(turns)].map((one) => turns.filter((other) => other === one).length);
    // Two of them are over the ten milliseconds that long work has in a turn.
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2);
  });

  it('go on in one turn where they are done at once', async () => {
    const turns = new Set<number>();
    let turn = 0;
    const timer = setInterval(() => (turn += 1), 0);
    const all = Array.from({ length: 100 }, async () => {
      await giveWay();
      turns.add(turn);
    });
    await Promise.all(all);
    clearInterval(timer);
    expect(turns.size).toBeLessThan(50);
  });
});

describe('inTurns()', () => {
  function* count(to: number): Generator<undefined, number> {
    for (let i = 0; i < to; i += 1) yield;
    return to;
  }

  it('answers what the steps come to', async () => {
    expect(await inTurns(count(100_000))).toBe(100_000);
  });

  it('passes on what a step throws', async () => {
    function* broken(): Generator<undefined, number> {
      yield;
      throw new Error('no');
    }
    await expect(inTurns(broken())).rejects.toThrow('no');
  });

  it('asks for a turn of others after a while, and anew after that', async () => {
    const turns = new Turns();
    expect(turns.isOver).toBe(false);
    const until = performance.now() + 12;
    while (performance.now() < until);
    expect(turns.isOver).toBe(true);
    await turns.next();
    expect(turns.isOver).toBe(false);
  });
});
