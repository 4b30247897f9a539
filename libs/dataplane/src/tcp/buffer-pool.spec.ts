import { describe, expect, it } from '@jest/globals';
import { BufferPool } from './buffer-pool.js';

describe(BufferPool.name, () => {
  it('uses buffers again, but not those that somebody still reads', () => {
    const pool = new BufferPool({ size: 8, kept: 4 });
    const [one, other] = [pool.take(), pool.take()];
    if (!one || !other) throw new Error('the pool gave none');
    pool.give(one);
    pool.give(other, true);
    const again = [pool.take(), pool.take(), pool.take()];
    expect(again.filter((given) => given === one)).toHaveLength(1);
    expect(again.includes(other)).toBe(false);
  });

  it('keeps no more than it should', () => {
    const pool = new BufferPool({ size: 8, kept: 1 });
    const taken = [pool.take(), pool.take()].flatMap((one) => one ?? []);
    for (const buffer of taken) pool.give(buffer);
    expect([pool.take(), pool.take()].filter((one) => one && taken.includes(one))).toHaveLength(1);
  });

  it('gives out no more than may be in use, and again when one has come back', () => {
    const pool = new BufferPool({ size: 8, kept: 0, most: 2 });
    const first = pool.take();
    expect(pool.take()).toHaveLength(8);
    expect(pool.take()).toBeUndefined();
    if (first) pool.give(first, true);
    expect(pool.take()).toHaveLength(8);
    expect(pool.take()).toBeUndefined();
  });
});
