import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { StatusError } from '../status-error.js';
import { finish } from '../steps.js';
import { applyJsonPatch, jsonPatchSteps } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { applyStrategicMergePatch } from './strategic-merge-patch.js';

const file = new URL('../../../api/src/gen/schemas.json', import.meta.url);
const registry = new SchemaRegistry(
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>,
);
const smp = (document: unknown, patch: unknown, kind = 'core.v1.Pod'): unknown =>
  applyStrategicMergePatch(document, patch, registry, `io.k8s.api.${kind}`);
const failure = (run: () => unknown): StatusError => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('applyJsonPatch()', () => {
  it.each<{ name: string; document: unknown; patch: unknown[]; want: unknown }>([
    {
      name: 'add, replace and remove',
      document: { a: 1, l: [1, 2] },
      patch: [
        { op: 'add', path: '/l/-', value: 3 },
        { op: 'replace', path: '/a', value: null },
        { op: 'remove', path: '/l/0' },
      ],
      want: { a: null, l: [2, 3] },
    },
    {
      name: 'add and replace without a value, which is null',
      document: { a: { x: 1 }, m: {} },
      patch: [
        { op: 'replace', path: '/a' },
        { op: 'add', path: '/m/b' },
      ],
      want: { a: null, m: { b: null } },
    },
    {
      name: 'escaped keys',
      document: { m: {} },
      patch: [{ op: 'add', path: '/m/a~1b~0', value: 1 }],
      want: { m: { 'a/b~': 1 } },
    },
    {
      name: 'test, copy and move',
      document: { a: { b: 1 } },
      patch: [
        { op: 'test', path: '/a/b', value: 1 },
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'move', from: '/a', path: '/d' },
      ],
      want: { c: { b: 1 }, d: { b: 1 } },
    },
    {
      name: 'the whole',
      document: { a: 1 },
      patch: [{ op: 'replace', path: '', value: { b: 2 } }],
      want: { b: 2 },
    },
    {
      name: 'indices from the end',
      document: { l: [1, 2, 3], m: [1, 2], n: [1] },
      patch: [
        { op: 'add', path: '/l/-1', value: 4 },
        { op: 'remove', path: '/m/-2' },
        { op: 'replace', path: '/n/-1', value: 5 },
      ],
      want: { l: [1, 2, 3, 4], m: [2], n: [5] },
    },
    {
      name: 'what is not there, or inherited, which is null to replace, copy and test',
      document: { a: 1 },
      patch: [
        { op: 'test', path: '/z' },
        { op: 'replace', path: '/b', value: 2 },
        { op: 'copy', from: '/y', path: '/c' },
        { op: 'copy', from: '/toString', path: '/d' },
      ],
      want: { a: 1, b: 2, c: null, d: null },
    },
    {
      name: 'nothing, if it is null',
      document: { a: 1 },
      patch: null as unknown as unknown[],
      want: { a: 1 },
    },
  ])('does $name', ({ document, patch, want }) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, patch)).toEqual(want);
    expect(document).toEqual(before);
  });

  it.each<{ name: string; patch: unknown; code: number }>([
    { name: 'an object', patch: {}, code: 400 },
    { name: 'a failed test', patch: [{ op: 'test', path: '/a', value: 2 }], code: 422 },
    {
      name: 'an addition below what objects inherit',
      patch: [{ op: 'add', path: '/toString/x', value: 1 }],
      code: 422,
    },
    {
      name: 'a copy of what nothing inherits',
      patch: [
        { op: 'add', path: '/n', value: null },
        { op: 'copy', from: '/n/toString', path: '/m' },
      ],
      code: 422,
    },
    {
      name: 'the length of a list',
      patch: [
        { op: 'add', path: '/l', value: [] },
        { op: 'replace', path: '/l/length', value: 9 },
      ],
      code: 422,
    },
    {
      name: 'a test of a value that cannot be printed',
      patch: [{ op: 'test', path: '/a', value: { toString: 0 } }],
      code: 422,
    },
    { name: 'a missing path', patch: [{ op: 'replace', path: '/b/c', value: 2 }], code: 422 },
    { name: 'the removal of nothing', patch: [{ op: 'remove', path: '/b' }], code: 422 },
    { name: 'a removal of the whole', patch: [{ op: 'remove', path: '' }], code: 422 },
    { name: 'an addition as the whole', patch: [{ op: 'add', path: '', value: {} }], code: 422 },
    { name: 'no path', patch: [{ op: 'add', value: {} }], code: 422 },
    { name: 'no operation', patch: [null], code: 422 },
    { name: 'a text for a whole', patch: [{ op: 'replace', path: '', value: 'x' }], code: 422 },
    { name: 'an unknown operation', patch: [{ op: 'x', path: '/b' }], code: 422 },
    { name: 'a prototype path', patch: [{ op: 'add', path: '/__proto__/x', value: 1 }], code: 422 },
    {
      name: 'too many operations (CVE-2019-1002100)',
      patch: Array(10_001).fill({ op: 'test', path: '/a', value: 1 }),
      code: 413,
    },
    {
      name: 'copies that grow without bound',
      patch: [
        { op: 'add', path: '/l', value: ['x'.repeat(1000)] },
        ...Array.from({ length: 30 }, () => ({ op: 'copy', from: '/l', path: '/l/-' })),
      ],
      code: 422,
    },
  ])('refuses $name', ({ patch, code }) => {
    expect(failure(() => applyJsonPatch({ a: 1 }, patch)).code).toBe(code);
  });
});

describe('what a refused JSON patch is told', () => {
  it.each<{ name: string; patch: unknown; want: string }>([
    {
      name: 'a failed test',
      patch: [{ op: 'test', path: '/a', value: 2 }],
      want: 'the server rejected our request due to an error in our request',
    },
    {
      name: 'too many operations',
      patch: Array(10_001).fill({ op: 'test', path: '/a', value: 1 }),
      want: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    },
    {
      name: 'no list',
      patch: 'x',
      want: 'json: cannot unmarshal string into Go value of type jsonpatch.Patch',
    },
    {
      name: 'no operation',
      patch: [5],
      want: 'json: cannot unmarshal number into Go value of type jsonpatch.Operation',
    },
  ])('$name', ({ patch, want }) => {
    expect(failure(() => applyJsonPatch({ a: 1 }, patch)).message).toBe(want);
  });

  it.each<{ name: string; patch: unknown; want: string }>([
    {
      name: 'of a path',
      patch: [{ op: 'add', path: '/b/c', value: 1 }],
      want: 'add operation does not apply: doc is missing path: "/b/c": missing value',
    },
    {
      name: 'of an index',
      patch: [
        { op: 'add', path: '/l', value: [] },
        { op: 'add', path: '/l/3', value: 1 },
      ],
      want: "error in add for path: '/l/3': Unable to access invalid index: 3: invalid index referenced",
    },
    {
      name: 'of a removal',
      patch: [{ op: 'remove', path: '/b' }],
      want: "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
    },
    { name: 'of an operation', patch: [{ op: 'x', path: '/b' }], want: 'Unexpected kind: x' },
    {
      name: 'of a test',
      patch: [{ op: 'test', path: '/a', value: 2 }],
      want: 'testing value /a failed: test failed',
    },
  ])('has its reason as a cause: $name', ({ patch, want }) => {
    expect(failure(() => applyJsonPatch({ a: 1 }, patch)).cause).toMatchObject({ message: want });
  });

  it.each<{ name: string; patch: unknown; want: string }>([
    { name: 'an object', patch: {}, want: 'object into Go value of type []handlers.jsonPatchOp' },
    { name: 'a number', patch: [5], want: 'number into Go value of type handlers.jsonPatchOp' },
    {
      name: 'a path of another type',
      patch: [{ op: 'x' }, { op: 'add', path: 5 }],
      want: 'number into Go struct field jsonPatchOp.path of type string',
    },
    {
      name: 'a source of another type that is not read',
      patch: [{ op: 'add', path: '/b', from: true }],
      want: 'bool into Go struct field jsonPatchOp.from of type string',
    },
  ])('of a client, whose types are judged first: $name', ({ patch, want }) => {
    const problem = failure(() => finish(jsonPatchSteps({ a: 1 }, patch, { given: true })));
    expect(problem.message).toBe(`error decoding patch: json: cannot unmarshal ${want}`);
  });
});

describe('applyMergePatch()', () => {
  it.each<{ name: string; document: unknown; patch: unknown; want: unknown }>([
    {
      name: 'sets and removes',
      document: { a: 1, b: 2 },
      patch: { a: null, c: 3 },
      want: { b: 2, c: 3 },
    },
    {
      name: 'goes deep',
      document: { a: { b: 1 } },
      patch: { a: { c: { d: null } } },
      want: { a: { b: 1, c: {} } },
    },
    { name: 'replaces lists', document: { a: [1] }, patch: { a: [2] }, want: { a: [2] } },
  ])('$name', ({ document, patch, want }) => {
    expect(applyMergePatch(document, patch)).toEqual(want);
  });

  it('never touches prototypes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (document, patch) => {
        applyMergePatch(document, patch);
        applyMergePatch(
          document,
          JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
        );
        expect(({} as { polluted?: number }).polluted).toBeUndefined();
      }),
    );
  });
});

describe('applyStrategicMergePatch()', () => {
  it('looks each of 20,000 fields up among 40,000 retained ones', () => {
    const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}`);
    const data = Object.fromEntries(keys.slice(20_000).map((key) => [key, 'v']));
    const patch = { data: { $retainKeys: keys } };
    expect(smp({ data: { ...data, gone: 'x' } }, patch, 'core.v1.ConfigMap')).toEqual({ data });
  });

  const container = (name: string, image = 'i'): object => ({ name, image });
  const pod = (...containers: object[]): object => ({ spec: { containers } });

  it.each<{ name: string; document: unknown; patch: unknown; want: unknown; kind?: string }>([
    {
      name: 'set image: merges containers by name',
      document: pod(container('a'), container('b')),
      patch: { spec: { containers: [{ name: 'b', image: 'new' }] } },
      want: pod(container('a'), container('b', 'new')),
    },
    {
      name: 'apply: order directive with an addition',
      document: pod(container('a'), container('b')),
      patch: {
        spec: {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
          containers: [container('c')],
        },
      },
      want: pod(container('b'), container('c'), container('a')),
    },
    {
      name: 'apply: deletes an element',
      document: pod(container('a'), container('b')),
      patch: {
        spec: {
          '$setElementOrder/containers': [{ name: 'a' }],
          containers: [{ $patch: 'delete', name: 'b' }],
        },
      },
      want: pod(container('a')),
    },
    {
      name: 'replaces a merge list',
      document: pod(container('a'), container('b')),
      patch: { spec: { containers: [{ $patch: 'replace' }, container('z')] } },
      want: pod(container('z')),
    },
    {
      name: 'replaces a map',
      document: { metadata: { labels: { a: '1', b: '2' } } },
      patch: { metadata: { labels: { $patch: 'replace', c: '3' } } },
      want: { metadata: { labels: { c: '3' } } },
    },
    {
      name: 'deletes a map',
      document: { spec: { securityContext: { runAsUser: 1 } } },
      patch: { spec: { securityContext: { $patch: 'delete' } } },
      want: { spec: { securityContext: {} } },
    },
    {
      name: 'label and annotate: null removes',
      document: { metadata: { labels: { a: '1', b: '2' } } },
      patch: { metadata: { labels: { a: null, c: '3' } } },
      want: { metadata: { labels: { b: '2', c: '3' } } },
    },
    {
      name: 'taint: an atomic list is replaced',
      kind: 'core.v1.Pod',
      document: { spec: { tolerations: [{ key: 'a' }] } },
      patch: { spec: { tolerations: [{ key: 'b' }] } },
      want: { spec: { tolerations: [{ key: 'b' }] } },
    },
    {
      name: 'cordon',
      kind: 'core.v1.Node',
      document: { spec: { podCIDR: 'x', unschedulable: true } },
      patch: { spec: { unschedulable: null } },
      want: { spec: { podCIDR: 'x' } },
    },
    {
      name: 'finalizers merge as a set of primitives',
      document: { metadata: { finalizers: ['a', 'b'] } },
      patch: {
        metadata: {
          '$deleteFromPrimitiveList/finalizers': ['a'],
          '$setElementOrder/finalizers': ['c', 'b'],
          finalizers: ['c'],
        },
      },
      want: { metadata: { finalizers: ['c', 'b'] } },
    },
    {
      name: 'retainKeys: switching the strategy clears the rest',
      kind: 'apps.v1.Deployment',
      document: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      want: { spec: { strategy: { type: 'Recreate' } } },
    },
    {
      name: 'rollout undo: a nested element keeps what the patch does not name',
      document: pod({ name: 'a', env: [{ name: 'X', value: '1' }], image: 'i' }),
      patch: { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] } },
      want: pod({
        name: 'a',
        env: [
          { name: 'Y', value: '2' },
          { name: 'X', value: '1' },
        ],
        image: 'i',
      }),
    },
    {
      name: 'volumes: the source is replaced by another, the rest of the list stays',
      document: {
        spec: {
          volumes: [
            { name: 'v', emptyDir: {} },
            { name: 'w', emptyDir: {} },
          ],
        },
      },
      patch: {
        spec: {
          volumes: [{ $retainKeys: ['name', 'hostPath'], name: 'v', hostPath: { path: '/x' } }],
        },
      },
      want: {
        spec: {
          volumes: [
            { name: 'v', hostPath: { path: '/x' } },
            { name: 'w', emptyDir: {} },
          ],
        },
      },
    },
    {
      name: 'a nested list: deletes an element, orders the rest',
      document: pod({ name: 'a', env: [{ name: 'X' }, { name: 'Y' }, { name: 'Z' }] }),
      patch: {
        spec: {
          containers: [
            {
              name: 'a',
              '$setElementOrder/env': [{ name: 'Z' }, { name: 'X' }],
              env: [{ $patch: 'delete', name: 'Y' }],
            },
          ],
        },
      },
      want: pod({ name: 'a', env: [{ name: 'Z' }, { name: 'X' }] }),
    },
    {
      name: 'status conditions merge by type',
      kind: 'core.v1.Node',
      document: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      patch: {
        status: {
          '$setElementOrder/conditions': [{ type: 'Ready' }],
          conditions: [{ type: 'Ready', status: 'False' }],
        },
      },
      want: { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    },
    {
      name: 'a new subtree loses directives and nulls',
      document: {},
      patch: {
        spec: { affinity: null, containers: [{ name: 'a', $retainKeys: ['name'], x: null }] },
      },
      want: { spec: { containers: [{ name: 'a' }] } },
    },
  ])('$name', ({ document, patch, want, kind }) => {
    const before = structuredClone(document);
    expect(smp(document, patch, kind)).toEqual(want);
    expect(document).toEqual(before);
  });

  it.each<{ name: string; patch: unknown; code: number; want: string }>([
    {
      name: 'a list',
      patch: [],
      code: 400,
      want: 'json: cannot unmarshal array into Go value of type map[string]interface {}',
    },
    {
      name: 'an unknown directive',
      patch: { spec: { $patch: 'x' } },
      code: 500,
      want: 'unknown patch type: x in map: map[$patch:x]',
    },
    {
      name: 'an unknown directive of an element',
      patch: { spec: { containers: [{ $patch: 'x', name: 'a' }] } },
      code: 500,
      want: 'unknown patch type: x in map: map[$patch:x name:a]',
    },
    {
      name: 'an element without key',
      patch: { spec: { containers: [{ image: 'x' }] } },
      code: 500,
      want: 'map: map[image:x] does not contain declared merge key: name',
    },
    {
      name: 'retained keys that are no list',
      patch: { spec: { $retainKeys: 'x' } },
      code: 400,
      want: 'invalid patch format of retainKeys',
    },
    {
      name: 'a key beside the retained ones',
      patch: { spec: { $retainKeys: ['nodeName'], hostname: 'x' } },
      code: 400,
      want: 'invalid patch format of retainKeys',
    },
    {
      name: 'a deletion of primitives that is no list',
      patch: { metadata: { '$deleteFromPrimitiveList/finalizers': 'x' } },
      code: 400,
      want: 'invalid patch format of primitive list',
    },
    {
      name: 'an order that is no list',
      patch: { spec: { '$setElementOrder/containers': 'x' } },
      code: 400,
      want: 'invalid patch format of setElementOrder list',
    },
  ])('refuses $name', ({ patch, code, want }) => {
    const error = failure(() => smp(pod(container('a')), patch));
    expect([error.code, error.message]).toEqual([code, want]);
  });

  it('is data-only for hostile keys', () => {
    const patch = JSON.parse(
      '{"metadata":{"labels":{"__proto__":{"polluted":"1"}}},"__proto__":{"polluted":1}}',
    ) as unknown;
    smp({ metadata: { labels: {} } }, patch);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
