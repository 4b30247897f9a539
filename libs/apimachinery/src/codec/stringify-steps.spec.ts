import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { finish } from '../steps.js';
import { stringifySteps } from './stringify-steps.js';

const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k"${i}`, { a: i }]));

describe('stringifySteps()', () => {
  it.each([
    { name: 'a wide map', value: { a: [{ b: wide }] } },
    { name: 'a long list', value: { a: Object.values(wide) } },
    {
      name: 'what JSON has no word for',
      value: { a: undefined, b: [undefined, 1], c: { d: undefined } },
    },
    { name: 'a text', value: 'a"b' },
    { name: 'nothing', value: null },
    {
      name: 'a deep one',
      value: { a: { a: { a: { a: { a: { a: { a: { a: { a: { a: { a: [1] } } } } } } } } } } },
    },
  ])('writes $name as JSON.stringify does', ({ value }) => {
    expect(finish(stringifySteps(value))).toBe(JSON.stringify(value));
  });

  it('writes any JSON as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(finish(stringifySteps(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('gives others their turn within what is wide', () => {
    let turns = 0;
    for (const steps = stringifySteps({ a: { b: wide } }); !steps.next().done;) turns += 1;
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
