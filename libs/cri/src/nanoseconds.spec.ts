import { describe, expect, it } from '@jest/globals';
import { fromNanoseconds, toNanoseconds } from './nanoseconds.js';

describe('nanoseconds', () => {
  it('keeps milliseconds and microseconds', () => {
    expect(toNanoseconds(1_700_000_000_123)).toBe('1700000000123000000');
    expect(toNanoseconds(1.5)).toBe('1500000');
    expect(fromNanoseconds('1700000000123000000')).toBe(1_700_000_000_123);
    expect(fromNanoseconds('')).toBe(0);
  });
});
