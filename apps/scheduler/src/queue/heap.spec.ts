import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Heap } from './heap.js';

interface Item {
  readonly key: string;
  readonly rank: number;
}

const newHeap = (): Heap<Item> =>
  new Heap(
    ({ key }) => key,
    (a, b) => a.rank < b.rank,
  );

const drain = (heap: Heap<Item>): number[] => {
  const ranks: number[] = [];
  for (let next = heap.pop(); next; next = heap.pop()) ranks.push(next.rank);
  return ranks;
};

describe(Heap.name, () => {
  it('gives what is in it in order, whatever was pushed, replaced and removed', () => {
    const steps = fc.array(fc.tuple(fc.nat(15), fc.integer({ min: -1, max: 50 })));
    fc.assert(
      fc.property(steps, (all) => {
        const heap = newHeap();
        const model = new Map<string, number>();
        for (const [k, rank] of all) {
          const key = String(k);
          if (rank < 0) {
            heap.remove(key);
            model.delete(key);
          } else {
            heap.push({ key, rank });
            model.set(key, rank);
          }
        }
        expect(heap.size).toBe(model.size);
        expect(drain(heap)).toEqual([...model.values()].sort((a, b) => a - b));
      }),
    );
  });

  it('finds by key', () => {
    const heap = newHeap();
    heap.push({ key: 'a', rank: 2 });
    expect(heap.get('a')).toEqual({ key: 'a', rank: 2 });
    expect(heap.has('b')).toBe(false);
    expect(heap.remove('b')).toBeUndefined();
  });
});
