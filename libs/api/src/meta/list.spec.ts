import { describe, expect, it } from '@jest/globals';
import { isDeepEqual } from './list.js';

describe('isDeepEqual()', () => {
  it.each<{ name: string; a: unknown; b: unknown; equal: boolean }>([
    { name: 'maps in another order', a: { a: 1, b: [2] }, b: { b: [2], a: 1 }, equal: true },
    { name: 'absent, undefined and null fields', a: { a: undefined, b: null }, b: {}, equal: true },
    {
      name: 'fields that only the other one has',
      a: {},
      b: { a: undefined, b: null },
      equal: true,
    },
    { name: 'another value', a: { a: { b: 1 } }, b: { a: { b: 2 } }, equal: false },
    { name: 'a field more', a: { a: 1 }, b: { a: 1, b: '' }, equal: false },
    { name: 'a field less', a: { a: 1, b: false }, b: { a: 1 }, equal: false },
    { name: 'lists in another order', a: [1, 2], b: [2, 1], equal: false },
    { name: 'a longer list', a: [1], b: [1, 2], equal: false },
    { name: 'a shorter list', a: [1, 2], b: [1], equal: false },
    { name: 'an item that is null', a: [1], b: [1, null], equal: true },
    { name: 'an empty list and an empty map', a: [], b: {}, equal: false },
    { name: 'a list and a map of its items', a: ['x'], b: { 0: 'x' }, equal: false },
    { name: 'nothing and a map', a: null, b: {}, equal: false },
    { name: 'names that objects have', a: { constructor: 'x' }, b: {}, equal: false },
    { name: 'the same the other way round', a: {}, b: { toString: 'x' }, equal: false },
  ])('says of $name whether they are equal', ({ a, b, equal }) => {
    expect(isDeepEqual(a, b)).toBe(equal);
  });
});
