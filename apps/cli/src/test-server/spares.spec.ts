import { beforeEach, describe, expect, it } from '@jest/globals';
import { Spares } from './spares.js';

describe(Spares.name, () => {
  let made: number;
  let discarded: number[];
  let spares: Spares<number>;
  const make = (): Promise<number> => Promise.resolve((made += 1));

  beforeEach(() => {
    made = 0;
    discarded = [];
    spares = new Spares((one) => {
      discarded.push(one);
      return Promise.resolve();
    });
  });

  it('makes none ahead for what is asked for once', async () => {
    expect(await spares.take('api', make)).toBe(1);
    expect(await spares.take('nodes', make)).toBe(2);
    await spares.stop();
    expect(discarded).toEqual([]);
  });

  it('has the next ready from the second time on, of each shape its own', async () => {
    expect(await spares.take('api', make)).toBe(1);
    expect(await spares.take('api', make)).toBe(2);
    expect(made).toBe(3);
    expect(await spares.take('nodes', make)).toBe(4);
    expect(await spares.take('api', make)).toBe(3);
  });

  it('discards the one that nobody took', async () => {
    await spares.take('api', make);
    await spares.take('api', make);
    await spares.stop();
    expect(discarded).toEqual([3]);
  });

  it('makes one at once when the spare could not be made', async () => {
    let calls = 0;
    const unsteady = (): Promise<number> => {
      calls += 1;
      return calls === 3 ? Promise.reject(new Error('no memory')) : make();
    };
    await spares.take('api', unsteady);
    await spares.take('api', unsteady);
    expect(await spares.take('api', unsteady)).toBe(3);
    expect(calls).toBe(5);
  });

  it('makes none ahead once it was stopped', async () => {
    await spares.take('api', make);
    await spares.stop();
    await spares.take('api', make);
    expect(made).toBe(2);
  });
});
