import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { targets } from './targets.js';

/** `npm run fuzz` tries more. */
const RUNS = 60;

describe('whatever a client sends', () => {
  it.each(targets)('holds for $name', ({ inputs, check }) => {
    fc.assert(fc.property(inputs, check as (input: unknown) => void), { numRuns: RUNS, seed: 232 });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
