import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { standardFunctions } from './functions/standard.js';
import { compile } from './program.js';
import { celTypes } from './types/type.js';
import { dynFromJson } from './values/json-value.js';

const env = {
  variables: new Map([
    ['self', celTypes.dyn],
    ['s', celTypes.string],
  ]),
  functions: standardFunctions,
};
const PARTS = (
  "self s 1 2.5 'a' true null [ ] { } ( ) . , : + - * / % == != < && || ! ? in has .size() .all(x,x) .map(x,x) " +
  '.a [0] .?a .matches(s) x timestamp(s) ip(s)'
).split(' ');

describe('any text', () => {
  it('is compiled or refused, and evaluated within its budget, without throwing', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.jsonValue(), (source, json) => {
        const { program } = compile(source, env);
        if (!program) return;
        const get = (name: string) => (name === 's' ? 'text' : dynFromJson(json));
        const { value, error } = program.evaluate({ get }, 10_000);
        expect(value === undefined).toBe(error !== undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
