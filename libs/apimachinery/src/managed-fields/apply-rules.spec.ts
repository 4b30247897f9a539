import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject, ManagedFieldsEntry } from '../object.js';
import { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { applyPatch, newApplyConflict, trackUpdate } from './apply-patch.js';
import { finish } from '../steps.js';
import { typedProblems } from './check-typed.js';

const file = new URL('../../../api/src/gen/schemas.json', import.meta.url);
const KIND = 'test.Kind';
const ofStrings = { type: 'object', additionalProperties: { type: 'string' } };
const registry = new SchemaRegistry({
  ...(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>),
  [KIND]: {
    type: 'object',
    properties: {
      metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      number: { type: 'integer' },
      struct: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
      map: ofStrings,
      atomicMap: { ...ofStrings, 'x-kubernetes-map-type': 'atomic' },
      atomicList: { type: 'array', items: { type: 'string' } },
      set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      keyed: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, value: { type: 'string' } },
        },
      },
      list: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['port', 'protocol'],
        items: {
          type: 'object',
          properties: {
            port: { type: 'integer' },
            protocol: { type: 'string', default: 'TCP' },
            value: { type: 'string' },
            other: { type: 'string' },
          },
        },
      },
    },
  },
});

type Fields = Record<string, unknown>;
type Step = { by: string; force?: boolean; update?: boolean; set: Fields };
const metadata = { name: 'x' };

function run(steps: readonly Step[], from?: KubeObject): KubeObject | undefined {
  let live = from;
  steps.forEach(({ by, set, force = false, update = false }, i) => {
    const now = `2024-01-01T00:00:${String(i).padStart(2, '0')}Z`;
    const common = { manager: by, registry, schemaName: KIND, apiVersion: 'v1', now };
    const object = { metadata, ...set } as KubeObject;
    if (update) {
      live = trackUpdate({ ...common, old: live, new: object });
      return;
    }
    const made = applyPatch({ ...common, live, patch: object, force });
    if (made.conflicts) throw newApplyConflict(made.conflicts);
    live = made.object;
  });
  return live;
}

const dataOf = (object: KubeObject | undefined): Fields => {
  const { metadata: _metadata, ...rest } = (object ?? {}) as Fields;
  return rest;
};
const entriesOf = (object: KubeObject | undefined): readonly ManagedFieldsEntry[] =>
  object?.metadata.managedFields ?? [];
const port = (number: number, value?: string): Fields =>
  value === undefined ? { port: number } : { port: number, value };

describe('what an apply makes of the object', () => {
  it.each<{ name: string; steps: Step[]; want: Fields }>([
    {
      name: 'keeps items of others where they stand, takes its own in its order',
      steps: [
        { by: 'a', set: { set: ['a', 'b', 'c'] } },
        { by: 'b', set: { set: ['d', 'c', 'a'] } },
      ],
      want: { set: ['b', 'd', 'c', 'a'] },
    },
    {
      name: 'puts new items behind the shared item before them',
      steps: [
        { by: 'a', set: { list: [port(1), port(3)] } },
        { by: 'b', set: { list: [port(1), port(2), port(3)] } },
      ],
      want: { list: [port(1), port(2), port(3)] },
    },
    {
      name: 'knows an item without its default key again',
      steps: [
        { by: 'a', set: { list: [{ port: 1, protocol: 'TCP', value: 'x' }] } },
        { by: 'b', set: { list: [{ port: 1, other: 'y' }] } },
      ],
      want: { list: [{ port: 1, protocol: 'TCP', value: 'x', other: 'y' }] },
    },
    {
      name: 'removes from a set only what nobody else applies',
      steps: [
        { by: 'a', set: { set: ['a', 'b', 'c'] } },
        { by: 'b', set: { set: ['b'] } },
        { by: 'a', set: { set: ['c'] } },
      ],
      want: { set: ['b', 'c'] },
    },
    {
      name: 'removes an item together with fields that an updater added to it',
      steps: [
        { by: 'a', set: { list: [port(1, 'x'), port(2)] } },
        { by: 'u', update: true, set: { list: [{ ...port(1, 'x'), other: 'o' }, port(2)] } },
        { by: 'a', set: { list: [port(2)] } },
      ],
      want: { list: [port(2)] },
    },
    {
      name: 'removes a struct that it applies no longer and keeps what an updater owns of it',
      steps: [
        { by: 'a', set: { number: 1, struct: { a: 'x' } } },
        { by: 'u', update: true, set: { number: 1, struct: { a: 'x', b: 'y' } } },
        { by: 'a', set: { number: 1 } },
      ],
      want: { number: 1, struct: { b: 'y' } },
    },
    {
      name: 'leaves nothing of a struct whose last field it applies no longer',
      steps: [
        { by: 'a', set: { struct: { a: 'x' } } },
        { by: 'a', set: { struct: {} } },
      ],
      want: { struct: null },
    },
    {
      name: 'removes the last entry of a map with the map',
      steps: [
        { by: 'a', set: { number: 1, map: { a: 'x' } } },
        { by: 'a', set: { number: 1 } },
      ],
      want: { number: 1 },
    },
    {
      name: 'replaces atomic maps and lists as a whole',
      steps: [
        { by: 'a', set: { atomicMap: { a: 'x' }, atomicList: ['a', 'b'] } },
        { by: 'b', force: true, set: { atomicMap: { b: 'y' }, atomicList: ['c'] } },
      ],
      want: { atomicMap: { b: 'y' }, atomicList: ['c'] },
    },
    {
      name: 'takes nothing out of a map by applying it empty or null',
      steps: [
        { by: 'a', set: { map: { a: 'x' }, list: [port(1)] } },
        { by: 'b', set: { map: {}, list: null } },
      ],
      want: { map: { a: 'x' }, list: [port(1)] },
    },
    {
      name: 'leaves what an updater alone set',
      steps: [
        { by: 'u', update: true, set: { number: 1, map: { a: 'x' } } },
        { by: 'a', set: { map: { b: 'y' } } },
        { by: 'a', set: {} },
      ],
      want: { number: 1, map: { a: 'x' } },
    },
  ])('$name', ({ steps, want }) => {
    expect(dataOf(run(steps))).toEqual(want);
  });
});

describe('a struct with defaults that nobody owns', () => {
  it('stays with them when it is applied empty', () => {
    const live = run([{ by: 'a', set: { struct: { a: 'x' } } }]);
    const defaulted = { ...live, struct: { a: 'x', b: 'default' } } as unknown as KubeObject;
    expect(dataOf(run([{ by: 'a', set: { struct: {} } }], defaulted))).toEqual({
      struct: { b: 'default' },
    });
  });
});

describe('conflicts', () => {
  it('name each manager and field, members of a node before what is below it', () => {
    const live = run([
      { by: 'b', set: { map: { k: 'v' }, list: [port(80, 'x')] } },
      { by: 'a', set: { number: 1 } },
    ]);
    const set = { number: 2, map: { k: 'w' }, list: [port(80, 'y')] };
    expect(() => run([{ by: 'c', set }], live)).toThrow(
      [
        'Apply failed with 3 conflicts: conflicts with "a":',
        '- .number',
        'conflicts with "b":',
        '- .list[port=80,protocol="TCP"].value',
        '- .map.k',
      ].join('\n'),
    );
  });

  it('name an updater with its version', () => {
    const live = run([{ by: 'u', update: true, set: { atomicList: ['a'] } }]);
    expect(() => run([{ by: 'a', set: { atomicList: [] } }], live)).toThrow(
      'Apply failed with 1 conflict: conflict with "u" using v1: .atomicList',
    );
  });

  it('let kubectl take over what it applied on its own side before', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const annotations = { [annotation]: JSON.stringify({ apiVersion: 'v1', number: 1 }) };
    const set = { metadata: { name: 'x', annotations }, number: 1, map: { a: 'x' } };
    const live = run([{ by: 'kubectl-client-side-apply', update: true, set }]);
    const taken = run([{ by: 'kubectl', set: { number: 2 } }], live);
    expect(dataOf(taken)).toEqual({ number: 2, map: { a: 'x' } });
    expect(taken?.metadata.annotations?.[annotation]).toContain('"number":2');
    expect(() => run([{ by: 'kubectl', set: { number: 2, map: { a: 'y' } } }], live)).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .map.a',
    );
  });

  it.each([
    { name: 'what has changed since', applied: { apiVersion: 'v1', number: 1 } },
    { name: 'what it applied in another version', applied: { apiVersion: 'v2', number: 5 } },
    { name: 'what says no version', applied: { number: 5 } },
  ])('keep $name from kubectl', ({ applied }) => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const annotations = { [annotation]: JSON.stringify(applied) };
    const set = { metadata: { name: 'x', annotations }, number: 5 };
    const live = run([{ by: 'u', update: true, set }]);
    expect(() => run([{ by: 'kubectl', set: { number: 2 } }], live)).toThrow(
      'Apply failed with 1 conflict: conflict with "u" using v1: .number',
    );
  });
});

describe('the entries', () => {
  it('give an object that nobody tracked to before-first-apply', () => {
    const live = run([{ by: 'a', set: { map: { b: 'y' } } }], {
      metadata,
      number: 1,
    } as KubeObject);
    expect(entriesOf(live).map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
      'a Apply',
      'before-first-apply Update',
    ]);
  });

  it('stay untracked after one empty entry, and can be written by a client', () => {
    const live = run([{ by: 'u', update: true, set: { number: 1 } }]);
    const reset = { metadata: { ...metadata, managedFields: [{}] }, number: 2 };
    const without = run([{ by: 'v', update: true, set: reset }], live);
    expect(entriesOf(without)).toEqual([]);
    expect(entriesOf(run([{ by: 'w', update: true, set: { number: 3 } }], without))).toEqual([]);
    const mine = [{ ...entriesOf(live)[0], manager: 'renamed' }];
    const sent = { metadata: { ...metadata, managedFields: mine }, number: 1 };
    const renamed = run([{ by: 'u', update: true, set: sent }], live);
    expect(entriesOf(renamed).map(({ manager }) => manager)).toEqual(['renamed']);
  });

  it('of updates are ten, older ones together as ancient-changes; appliers stay', () => {
    const steps = Array.from({ length: 14 }, (_, i) => i).map((i): Step => {
      const entries = Array.from({ length: i + 1 }, (_entry, j) => [`k${j}`, 'v']);
      return { by: `u${i}`, update: true, set: { map: Object.fromEntries(entries) } };
    });
    const live = run([{ by: 'a', set: { map: { k0: 'v' } } }, ...steps]);
    const names = entriesOf(live).map(({ manager }) => manager);
    expect(names).toHaveLength(11);
    expect(names.slice(0, 3)).toEqual(['a', 'ancient-changes', 'u5']);
  });

  it('keep their time when nothing changed, and an owner who only joins has none', () => {
    const live = run([{ by: 'a', set: { number: 1 } }]);
    const again = run(
      [
        { by: 'b', set: { number: 1 } },
        { by: 'a', set: { number: 1 } },
      ],
      live,
    );
    expect(entriesOf(again).map(({ manager, time }) => [manager, time])).toEqual([
      ['b', undefined],
      ['a', '2024-01-01T00:00:00Z'],
    ]);
  });
});

describe('typedProblems()', () => {
  it.each<{ name: string; set: Fields; want: string | undefined }>([
    { name: 'nothing', set: { number: 1, map: { a: 'x' }, struct: null }, want: undefined },
    { name: 'an unknown field', set: { bogus: 1 }, want: '.bogus: field not declared in schema' },
    {
      name: 'an item twice',
      set: { list: [port(1), { port: 1, protocol: 'TCP' }] },
      want: '.list: duplicate entries for key [port=1,protocol="TCP"]',
    },
    {
      name: 'a value twice in a set',
      set: { set: ['a', 'a'] },
      want: '.set: duplicate entries for key [="a"]',
    },
    {
      name: 'an item without any key',
      set: { keyed: [{ value: 'x' }] },
      want: `.keyed: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)`,
    },
    {
      name: 'an item with one of its keys',
      set: { list: [{ value: 'x' }, { port: 1 }] },
      want: undefined,
    },
    {
      name: 'items that are no maps',
      set: { keyed: [5, null] },
      want: 'errors:\n  .keyed: element 0: associative list with keys may not have non-map elements\n  .keyed: element 1: associative list with keys may not have a null element',
    },
    {
      name: 'values that no set may have',
      set: { set: [{ a: 1 }, [1], null] },
      want: "errors:\n  .set: element 0: associative list without keys has an element that's a map type\n  .set: element 1: not supported: associative list with lists as elements\n  .set: element 2: associative list without keys has an element that's an explicit null",
    },
    {
      name: 'wrong types, all of them',
      set: { number: 'x', map: { a: 1 }, set: 'a' },
      want: 'errors:\n  .map.a: expected string, got &value.valueUnstructured{Value:1}\n  .number: expected numeric (int or float), got string\n  .set: expected list, got &{a}',
    },
  ])('tells of $name', ({ set, want }) => {
    expect(finish(typedProblems(set, KIND, registry))).toBe(want);
  });
});

const letters = fc.constantFrom('a', 'b', 'c', 'd');
const maps = fc.dictionary(letters, letters);
const configurations = fc.record(
  {
    number: fc.integer({ min: 0, max: 3 }),
    map: maps,
    atomicMap: maps,
    set: fc.uniqueArray(letters),
    list: fc.uniqueArray(
      fc.record(
        { port: fc.integer({ min: 1, max: 4 }), value: letters },
        { requiredKeys: ['port'] },
      ),
      { selector: (item) => item.port },
    ),
  },
  { requiredKeys: [] },
);

describe('any configurations', () => {
  it('applied again change nothing', () => {
    fc.assert(
      fc.property(configurations, configurations, (one, two) => {
        const live = run([
          { by: 'a', set: one },
          { by: 'b', force: true, set: two },
        ]);
        expect(run([{ by: 'b', set: two }], live)).toEqual(live);
      }),
    );
  });

  it('of two appliers with nothing in common end in the same, whoever comes first', () => {
    fc.assert(
      fc.property(maps, maps, (one, two) => {
        const prefixed = (prefix: string, map: Record<string, string>): Fields => ({
          map: Object.fromEntries(Object.entries(map).map(([k, v]) => [`${prefix}${k}`, v])),
        });
        const a: Step = { by: 'a', set: prefixed('1', one) };
        const b: Step = { by: 'b', set: prefixed('2', two) };
        expect(dataOf(run([a, b]))).toEqual(dataOf(run([b, a])));
      }),
    );
  });

  it('taken by force conflict when their first owner applies them again', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), (one, two) => {
        fc.pre(one !== two);
        const live = run([
          { by: 'a', set: { number: one } },
          { by: 'b', force: true, set: { number: two } },
        ]);
        expect(() => run([{ by: 'a', set: { number: one } }], live)).toThrow(
          'Apply failed with 1 conflict: conflict with "b": .number',
        );
      }),
    );
  });
});
