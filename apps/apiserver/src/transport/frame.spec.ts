import { describe, expect, it } from '@jest/globals';
import { Frame } from './frame.js';

const LIMIT = 64 * 1024;

describe('Frame', () => {
  it.each<{ name: string; parts: number[] }>([
    { name: 'nothing', parts: [] },
    { name: 'one small part', parts: [10] },
    { name: 'many small parts', parts: Array.from({ length: 500 }, () => 700) },
    { name: 'one very large part', parts: [3_000_000] },
    { name: 'large parts among small ones', parts: [10, 200_000, 10, 65_536, 10] },
  ])('is cut to slices that hold the same: $name', ({ parts }) => {
    const frame = new Frame(parts.map((size, i) => Buffer.alloc(size, i)));
    const slices = [...frame.slices()];
    expect(Buffer.concat(slices.map(({ bytes }) => bytes)).equals(frame.bytes)).toBe(true);
    expect(Math.max(...slices.map(({ size }) => size))).toBeLessThanOrEqual(LIMIT);
    expect(frame.size).toBe(parts.reduce((sum, size) => sum + size, 0));
  });
});
