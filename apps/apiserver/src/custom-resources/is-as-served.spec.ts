import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cloneJson, equalJson } from '@orrery/registry';
import { applyDefaults, dropNulls } from './apply-defaults.js';
import { isAsServed } from './is-as-served.js';
import { prune } from './prune.js';
import type { Json, StructuralSchema } from './structural-schema.js';

const SCHEMA: StructuralSchema = {
  type: 'object',
  properties: {
    metadata: { type: 'object' },
    a: { type: 'string', default: 'x' },
    b: { type: 'object', properties: { c: { type: 'string', nullable: true } } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    list: { type: 'array', items: { type: 'object', properties: { d: { default: 1 } } } },
    whole: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { spec: { type: 'object' } },
    },
  },
};

/** What serving makes of a stored object. */
function served(object: Json, keepsAll: boolean): Json {
  const made = cloneJson(object);
  if (!keepsAll) prune(made, SCHEMA);
  dropNulls(made, SCHEMA);
  applyDefaults(made, SCHEMA);
  return made;
}

describe('isAsServed()', () => {
  it.each<{ name: string; object: Json; keepsAll?: boolean; want: boolean }>([
    { name: 'what has all', object: { a: 'y', b: { c: null }, list: [{ d: 2 }] }, want: true },
    {
      name: 'metadata of any form',
      object: { a: 'y', metadata: { labels: { e: 'f' } } },
      want: true,
    },
    { name: 'a resource inside', object: { a: 'y', whole: { kind: 'X', spec: {} } }, want: true },
    { name: 'free fields', object: { a: 'y', free: { g: null } }, want: true },
    { name: 'no default', object: { b: {} }, want: false },
    { name: 'no default in a list', object: { a: 'y', list: [{}] }, want: false },
    { name: 'an unknown field', object: { a: 'y', z: 1 }, want: false },
    { name: 'an unknown field that is kept', object: { a: 'y', z: 1 }, keepsAll: true, want: true },
    { name: 'a null in a map', object: { a: 'y', map: { h: null } }, want: false },
  ])('answers $want for $name', ({ object, keepsAll = false, want }) => {
    expect(isAsServed(object, SCHEMA, keepsAll)).toBe(want);
  });

  it('says yes to nothing that serving would change', () => {
    const keys = fc.constantFrom(
      'a',
      'b',
      'c',
      'd',
      'map',
      'free',
      'list',
      'whole',
      'metadata',
      'kind',
      'spec',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 1, 'x', true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(keys, value), fc.boolean(), (given, keepsAll) => {
        const object = given as Json;
        const isSame = equalJson(served(object, keepsAll), object);
        expect(isSame || !isAsServed(object, SCHEMA, keepsAll)).toBe(true);
        // What has been served needs nothing more.
        const once = served(object, keepsAll);
        expect(served(once, keepsAll)).toEqual(once);
      }),
    );
  });
});
