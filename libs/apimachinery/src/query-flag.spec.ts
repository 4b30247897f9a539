import { describe, expect, it } from '@jest/globals';
import { isFlagSet } from './query-flag.js';

describe('a boolean parameter', () => {
  it.each([
    ['true', true],
    ['True', true],
    ['1', true],
    ['', true],
    ['yes', true],
    ['false', false],
    ['False', false],
    ['0', false],
    [null, false],
    [undefined, false],
  ])('%j is %s', (value, want) => {
    expect(isFlagSet(value)).toBe(want);
  });
});
