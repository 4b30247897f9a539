import { describe, expect, it } from '@jest/globals';

import { findSplicePoint } from './splice.js';
import { StoredEntry } from './stored-entry.js';

const entry = (value: string): StoredEntry =>
  new StoredEntry({
    key: '/registry/x/y',
    revision: 42,
    createRevision: 7,
    value: Buffer.from(value),
  });

interface Case {
  readonly name: string;
  readonly value: string;
  readonly fast: boolean;
}

const CASES: readonly Case[] = [
  {
    name: 'upstream order',
    value: '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{}}',
    fast: true,
  },
  {
    name: 'our order',
    value: '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}',
    fast: true,
  },
  { name: 'no type', value: '{"metadata":{"name":"a"}}', fast: true },
  { name: 'empty metadata', value: '{"kind":"A","apiVersion":"v1","metadata":{}}', fast: true },
  { name: 'whitespace', value: '{ "kind": "Pod", "metadata": { "name": "a" } }', fast: false },
  {
    name: 'metadata last',
    value: '{"kind":"Pod","spec":{"template":{"metadata":{"name":"t"}}},"metadata":{"name":"a"}}',
    fast: false,
  },
  {
    name: 'nested metadata first',
    value: '{"spec":{"metadata":{"name":"t"}},"metadata":{"name":"a"}}',
    fast: false,
  },
  {
    name: 'a stale resourceVersion of its own',
    value: '{"kind":"Pod","metadata":{"name":"a","resourceVersion":"3"}}',
    fast: false,
  },
  {
    name: 'a resourceVersion elsewhere',
    value: '{"kind":"Event","metadata":{"name":"a"},"involvedObject":{"resourceVersion":"3"}}',
    fast: true,
  },
  {
    name: 'a resourceVersion nested in metadata',
    value: '{"metadata":{"annotations":{"resourceVersion":"3"},"name":"a"}}',
    fast: true,
  },
  {
    name: 'braces and quotes in strings',
    value: '{"metadata":{"annotations":{"x":"}\\"{\\\\"},"name":"a"},"y":{"resourceVersion":"1"}}',
    fast: true,
  },
  {
    name: 'other scripts',
    value: '{"metadata":{"name":"ä","annotations":{"n":"日本"}}}',
    fast: true,
  },
];

describe('StoredEntry', () => {
  it.each(CASES)('splices the revision into $name', ({ value, fast }) => {
    const want = JSON.parse(value) as { metadata: Record<string, unknown> };
    want.metadata['resourceVersion'] = '42';
    const stored = entry(value);
    expect(findSplicePoint(Buffer.from(value)) !== undefined).toBe(fast);
    expect(JSON.parse(stored.bytes.toString())).toEqual(want);
    expect(stored.object).toEqual(want);
    expect(stored.value.toString()).toBe(value);
    expect(stored.at(43).value.toString()).toBe(value);
    expect(stored.at(43).object.metadata.resourceVersion).toBe('43');
  });

  it('knows where the type fields end', () => {
    const stored = entry('{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}');
    expect(`{${stored.bytes.toString('utf8', stored.typeEnd)}`).toBe(
      '{"metadata":{"resourceVersion":"42","name":"a"}}',
    );
  });

  it.each([{ value: 'not json' }, { value: '[]' }, { value: '{"metadata":null}' }, { value: '' }])(
    'names the key of the corrupt value $value',
    ({ value }) => {
      expect(() => entry(value).object).toThrow('/registry/x/y');
      expect(() => entry(value).bytes).toThrow('/registry/x/y');
      expect(entry(value).detach().value.toString()).toBe(value);
    },
  );
});
