import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { dealHand } from './deal-hand.js';
import { PriorityLevel } from './priority-level.js';
import type { LevelLimits, Outcome, Visitor } from './priority-level.js';

const clock = new SystemClock();
const signal = new AbortController().signal;
const limits: LevelLimits = { seats: 1, queues: 8, handSize: 2, queueLength: 2 };
const patience = { maxWaitMs: 5000, signal };
const visitor = (seats = 1): Visitor => ({ seats, arrivedAt: 0, about: undefined });
const releaseOf = (outcome: Outcome): (() => void) => {
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome.release;
};

describe('PriorityLevel', () => {
  it('gives its seats, lets others wait, and serves them as seats get free', async () => {
    const level = new PriorityLevel(limits, clock);
    const leave = level.enter(visitor());
    expect(level.enter(visitor())).toBeUndefined();
    const waiting = level.wait('a', visitor(), patience);
    expect([level.taken, level.waiting]).toEqual([1, 1]);
    leave?.();
    releaseOf(await waiting)();
    expect([level.taken, level.waiting]).toEqual([0, 0]);
  });

  it('lets a quiet flow go before the rest of a loud one', async () => {
    const level = new PriorityLevel({ ...limits, queueLength: 50, queues: 64, handSize: 1 }, clock);
    const leave = level.enter(visitor());
    const served: string[] = [];
    const ask = async (flow: string): Promise<void> => {
      const release = releaseOf(await level.wait(flow, visitor(), patience));
      served.push(flow);
      release();
    };
    const all = [...Array.from({ length: 10 }, () => ask('loud')), ask('quiet')];
    leave?.();
    await Promise.all(all);
    expect(served.indexOf('quiet')).toBeLessThan(3);
    expect(served).toHaveLength(11);
  });

  it.each<{ name: string; limits: Partial<LevelLimits>; maxWaitMs?: number; want: string }>([
    { name: 'a level without queues', limits: { queues: 0 }, want: 'concurrency-limit' },
    { name: 'full queues', limits: { queueLength: 0 }, want: 'queue-full' },
    { name: 'the end of patience', limits: {}, maxWaitMs: 5, want: 'time-out' },
  ])('refuses for $name', async ({ limits: more, maxWaitMs = 5000, want }) => {
    const level = new PriorityLevel({ ...limits, ...more }, clock);
    level.enter(visitor());
    expect(await level.wait('a', visitor(), { ...patience, maxWaitMs })).toEqual({ refused: want });
    expect(level.waiting).toBe(0);
  });

  it('forgets a client that has gone', async () => {
    const level = new PriorityLevel(limits, clock);
    const leave = level.enter(visitor());
    const gone = new AbortController();
    const waiting = level.wait('a', visitor(), { ...patience, signal: gone.signal });
    gone.abort();
    expect(await waiting).toEqual({ refused: 'cancelled' });
    leave?.();
    expect(level.enter(visitor())).toBeDefined();
  });

  it('serves who waits when it is given more seats, and everybody when exempt', async () => {
    const level = new PriorityLevel(limits, clock);
    level.enter(visitor());
    const waiting = level.wait('a', visitor(), patience);
    level.configure({ ...limits, seats: 2 });
    expect(await waiting).toHaveProperty('release');
    level.configure({ ...limits, seats: undefined });
    expect(level.enter(visitor())).toBeDefined();
  });
});

describe('PriorityLevel with wide requests', () => {
  it('takes as many seats as a request is wide, and gives them back', () => {
    const level = new PriorityLevel({ ...limits, seats: 10 }, clock);
    const leave = level.enter(visitor(7));
    expect(level.enter(visitor(4))).toBeUndefined();
    expect(level.enter(visitor(3))).toBeDefined();
    leave?.();
    expect(level.taken).toBe(3);
  });

  it('lets one that is wider than the level have it alone', async () => {
    const level = new PriorityLevel({ ...limits, seats: 2 }, clock);
    const leave = level.enter(visitor(1));
    const waiting = level.wait('a', visitor(5), patience);
    expect([level.taken, level.waiting]).toEqual([1, 1]);
    leave?.();
    releaseOf(await waiting)();
    expect(level.isIdle).toBe(true);
  });

  it('serves those behind a wide one that gives up', async () => {
    const level = new PriorityLevel({ ...limits, seats: 4, queues: 1, handSize: 1 }, clock);
    level.enter(visitor(3));
    const gone = new AbortController();
    const wide = level.wait('a', visitor(4), { ...patience, signal: gone.signal });
    const narrow = level.wait('a', visitor(1), patience);
    expect(level.waiting).toBe(2);
    gone.abort();
    expect(await wide).toEqual({ refused: 'cancelled' });
    expect(await narrow).toHaveProperty('release');
    expect(level.counts).toMatchObject({ dispatched: 2, cancelled: 1 });
  });

  it('counts what is wanted, waiting or not', async () => {
    const level = new PriorityLevel(limits, clock);
    const leave = level.enter(visitor());
    const waiting = level.wait('a', visitor(1), patience);
    level.demand.settle();
    expect(level.demand.highWatermark).toBe(2);
    leave?.();
    releaseOf(await waiting)();
    level.demand.settle();
    level.demand.settle();
    expect(level.demand.highWatermark).toBe(0);
  });
});

describe('dealHand()', () => {
  it('deals different queues, the same to the same flow', () => {
    const hands = Array.from({ length: 200 }, (_, i) => dealHand(`flow-${i}`, 64, 6));
    for (const hand of hands) {
      expect(new Set(hand).size).toBe(6);
      expect(hand.every((card) => card >= 0 && card < 64)).toBe(true);
    }
    expect(dealHand('flow-1', 64, 6)).toEqual(hands[1]);
    expect(new Set(hands.flat()).size).toBe(64);
  });
});
