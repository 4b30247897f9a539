import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocateSeats } from './allocate-seats.js';
import type { SeatWish } from './allocate-seats.js';
import { borrowSeats } from './borrow-seats.js';
import type { Borrower } from './borrow-seats.js';
import { estimateSeats } from './estimate-seats.js';
import { parseRequestInfo } from '../filters/request-info.js';
import { SeatDemand } from './seat-demand.js';

const wish = (least: number, most: number, target: number): SeatWish => ({ least, most, target });

describe('allocateSeats()', () => {
  it.each<{ name: string; sum: number; wishes: SeatWish[]; want: number[] | undefined }>([
    { name: 'what is asked for', sum: 6, wishes: [wish(0, 9, 2), wish(0, 9, 4)], want: [2, 4] },
    { name: 'half of it', sum: 3, wishes: [wish(0, 9, 2), wish(0, 9, 4)], want: [1, 2] },
    {
      name: 'the rest to those below',
      sum: 10,
      wishes: [wish(0, 3, 5), wish(0, 9, 5)],
      want: [3, 7],
    },
    {
      name: 'the least to those above',
      sum: 10,
      wishes: [wish(8, 9, 8), wish(0, 9, 8)],
      want: [8, 2],
    },
    {
      name: 'seats that nobody asks for',
      sum: 8,
      wishes: [wish(0, 9, 0), wish(0, 9, 0)],
      want: [4, 4],
    },
    { name: 'the least alone', sum: 3, wishes: [wish(1, 9, 5), wish(2, 9, 5)], want: [1, 2] },
    { name: 'the most alone', sum: 5, wishes: [wish(0, 2, 2), wish(0, 3, 1)], want: [2, 3] },
    {
      name: 'the most of one that divides unevenly',
      sum: 46,
      wishes: [wish(4, 46, 43)],
      want: [46],
    },
    { name: 'too little', sum: 2, wishes: [wish(1, 9, 5), wish(2, 9, 5)], want: undefined },
    { name: 'too much', sum: 6, wishes: [wish(0, 2, 2), wish(0, 3, 1)], want: undefined },
  ])('gives $name', ({ sum, wishes, want }) => {
    const seats = allocateSeats(sum, wishes)?.seats;
    expect(seats?.map((one) => Math.round(one * 1e6) / 1e6)).toEqual(want);
  });

  const wishes = fc.array(
    fc
      .tuple(fc.nat(50), fc.nat(50), fc.nat(50))
      .map(([least, more, target]) => wish(least, least + more, least + target)),
    { minLength: 1, maxLength: 8 },
  );

  it('gives out all, within the bounds, the same part to all that these leave alone', () => {
    fc.assert(
      fc.property(wishes, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
        const least = all.reduce((n, one) => n + one.least, 0);
        const most = all.reduce((n, one) => n + one.most, 0);
        const sum = Math.round(least + part * (most - least));
        const found = allocateSeats(sum, all);
        if (!found) throw new Error('nothing found');
        expect(found.seats.reduce((n, one) => n + one, 0)).toBeCloseTo(sum, 5);
        const want = all.map(({ least, most, target }) =>
          Math.max(least, Math.min(most, found.fraction * Math.max(target, 0.001))),
        );
        found.seats.forEach((seats, i) => expect(seats).toBeCloseTo(want[i] ?? NaN, 5));
      }),
    );
  });
});

class Hand {
  at = 0;
  monotonic = (): number => this.at;
}

describe('SeatDemand', () => {
  it('tells the average, its deviation and the most of a period', () => {
    const hand = new Hand();
    const demand = new SeatDemand(hand);
    demand.add(4);
    hand.at = 5;
    demand.add(-2);
    hand.at = 10;
    demand.settle();
    expect(demand).toMatchObject({ average: 3, deviation: 1, highWatermark: 4, smoothed: 4 });
    hand.at = 20;
    demand.settle();
    expect(demand).toMatchObject({ average: 2, deviation: 0, highWatermark: 2 });
    expect(demand.smoothed).toBeCloseTo(0.977 * 4 + 0.023 * 2);
  });
});

function borrower(limits: Partial<Borrower['limits']>, wanted: number, hand: Hand): Borrower {
  const demand = new SeatDemand(hand);
  demand.add(wanted);
  const nominal = limits.nominal ?? 10;
  return {
    limits: { isExempt: false, nominal, lower: nominal, upper: 1000, ...limits },
    demand,
    current: nominal,
    target: 0,
  };
}

describe('borrowSeats()', () => {
  it.each<{ name: string; levels: [Partial<Borrower['limits']>, number][]; want: number[] }>([
    {
      name: 'nothing of levels that lend none',
      levels: [
        [{}, 0],
        [{}, 50],
      ],
      want: [10, 10],
    },
    {
      name: 'what is lent to who wants it',
      levels: [
        [{ lower: 2 }, 0],
        [{}, 50],
      ],
      want: [2, 18],
    },
    {
      name: 'no more than may be borrowed',
      levels: [
        [{ lower: 2 }, 0],
        [{ upper: 13 }, 50],
      ],
      want: [7, 13],
    },
    {
      name: 'back what is wanted again',
      levels: [
        [{ lower: 2 }, 30],
        [{}, 50],
      ],
      want: [10, 10],
    },
    {
      name: 'less where exempt requests take seats',
      levels: [
        [{ isExempt: true, nominal: 0 }, 6],
        [{ lower: 2 }, 9],
        [{ lower: 2 }, 9],
      ],
      want: [6, 7, 7],
    },
  ])('gives $name', ({ levels, want }) => {
    const hand = new Hand();
    const all = levels.map(([limits, wanted]) => borrower(limits, wanted, hand));
    hand.at = 10_000;
    borrowSeats(all);
    expect(all.map(({ current }) => current)).toEqual(want);
  });
});

describe('estimateSeats()', () => {
  const many = { objects: 5000, objectBytes: 2000 };
  it.each<{ name: string; query: string; size?: typeof many; most?: number; want: number }>([
    { name: 'a list of nothing', query: '', size: { objects: 0, objectBytes: 0 }, want: 1 },
    { name: 'a list of what is not known', query: '', want: 1 },
    { name: 'a large list from memory', query: '', size: many, want: 10 },
    { name: 'a page', query: 'limit=100', size: many, want: 2 },
    { name: 'one object', query: 'fieldSelector=metadata.name%3Dx', size: many, want: 1 },
    { name: 'a page of the past', query: 'limit=500&continue=x', size: many, want: 10 },
    {
      name: 'a choice of the past',
      query: 'limit=500&continue=x&labelSelector=a',
      size: many,
      want: 50,
    },
    { name: 'more than the level lets one have', query: '', size: many, most: 7, want: 7 },
  ])('$name: $want', ({ query, size, most = 0, want }) => {
    const params = new URLSearchParams(query);
    const info = parseRequestInfo('GET', '/api/v1/pods', params);
    expect(estimateSeats({ info, query: params }, size, most)).toBe(want);
  });
});
