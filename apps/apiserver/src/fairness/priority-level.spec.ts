import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { dealHand } from './deal-hand.js';
import { PriorityLevel } from './priority-level.js';
import type { LevelLimits, Outcome } from './priority-level.js';

const clock = new SystemClock();
const signal = new AbortController().signal;
const limits: LevelLimits = { seats: 1, queues: 8, handSize: 2, queueLength: 2 };
const patience = { clock, maxWaitMs: 5000, signal };
const releaseOf = (outcome: Outcome): (() => void) => {
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome.release;
};

describe('PriorityLevel', () => {
  it('gives its seats, lets others wait, and serves them as seats get free', async () => {
    const level = new PriorityLevel(limits);
    const leave = level.enter();
    expect(level.enter()).toBeUndefined();
    const waiting = level.wait('a', patience);
    expect([level.executing, level.waiting]).toEqual([1, 1]);
    leave?.();
    releaseOf(await waiting)();
    expect([level.executing, level.waiting]).toEqual([0, 0]);
  });

  it('lets a quiet flow go before the rest of a loud one', async () => {
    const level = new PriorityLevel({ ...limits, queueLength: 50, queues: 64, handSize: 1 });
    const leave = level.enter();
    const served: string[] = [];
    const ask = async (flow: string): Promise<void> => {
      const release = releaseOf(await level.wait(flow, patience));
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
    const level = new PriorityLevel({ ...limits, ...more });
    level.enter();
    expect(await level.wait('a', { ...patience, maxWaitMs })).toEqual({ refused: want });
    expect(level.waiting).toBe(0);
  });

  it('forgets a client that has gone', async () => {
    const level = new PriorityLevel(limits);
    const leave = level.enter();
    const gone = new AbortController();
    const waiting = level.wait('a', { ...patience, signal: gone.signal });
    gone.abort();
    expect(await waiting).toEqual({ refused: 'cancelled' });
    leave?.();
    expect(level.enter()).toBeDefined();
  });

  it('serves who waits when it is given more seats, and everybody when exempt', async () => {
    const level = new PriorityLevel(limits);
    level.enter();
    const waiting = level.wait('a', patience);
    level.configure({ ...limits, seats: 2 });
    expect(await waiting).toHaveProperty('release');
    level.configure({ ...limits, seats: undefined });
    expect(level.enter()).toBeDefined();
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
