import { describe, expect, it } from '@jest/globals';
import { toGoSeconds } from './restart-backoff.js';

describe('toGoSeconds()', () => {
  it.each([
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(toGoSeconds(ms)).toBe(text);
  });
});
