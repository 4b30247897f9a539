import { describe, expect, it } from '@jest/globals';
import { finish } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import { hasFormat } from './string-formats.js';
import { toCustomKind } from './to-custom-kind.js';
import { validateBySchema } from './validate-schema.js';

const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: {
    openAPIV3Schema: {
      type: 'object',
      required: ['spec'],
      properties: {
        spec: { type: 'object', properties: { n: { type: 'integer', default: 1 } } },
        status: { type: 'object', properties: { phase: { type: 'string' } } },
      },
    },
  },
  subresources: { status: {} },
  ...more,
});

const definition = (...versions: object[]): CustomResourceDefinition =>
  ({
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions,
    },
  }) as unknown as CustomResourceDefinition;

const kindOf = (crd: CustomResourceDefinition, i = 0) =>
  toCustomKind(crd, crd.spec.versions[i] as never);

const foo = (more: object): KubeObject =>
  ({ apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'a' }, ...more }) as KubeObject;

describe('toCustomKind()', () => {
  it.each([
    {
      name: 'names the newest version to use',
      versions: [version('v1beta1', { deprecated: true }), version('v1beta2'), version('v1')],
      want: 'example.com/v1beta1 Foo is deprecated; use example.com/v1 Foo',
    },
    {
      name: 'names none where none is newer',
      versions: [version('v2', { deprecated: true }), version('v1')],
      want: 'example.com/v2 Foo is deprecated',
    },
    {
      name: 'says what the definition says',
      versions: [
        version('v1beta1', { deprecated: true, deprecationWarning: 'gone' }),
        version('v1'),
      ],
      want: 'gone',
    },
    { name: 'says nothing of other versions', versions: [version('v1')], want: undefined },
  ])('$name', ({ versions, want }) => {
    expect(kindOf(definition(...versions)).kind.deprecation).toBe(want);
  });

  it('describes the columns as upstream does', () => {
    const columns = [
      { name: 'N', type: 'integer', jsonPath: '.spec.n' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'How it is.' },
    ];
    const { kind } = kindOf(definition(version('v1', { additionalPrinterColumns: columns })));
    expect(kind.columns?.columns.map(({ description }) => description)).toEqual([
      undefined,
      'Custom resource definition column (in JSONPath format): .spec.n',
      'How it is.',
    ]);
  });

  it('tells unknown fields in the order of their paths', () => {
    const { prune } = kindOf(definition(version('v1')));
    expect(prune(foo({ zz: 1, spec: { y: 1, b: 2 } }))).toEqual(['spec.b', 'spec.y', 'zz']);
  });

  it('writes nothing but the status through /status', () => {
    const { kind } = kindOf(definition(version('v1')));
    const old = foo({ metadata: { name: 'a', labels: { a: 'b' }, uid: 'u' }, spec: { n: 1 } });
    const next = foo({
      metadata: {
        name: 'a',
        resourceVersion: '7',
        labels: { c: 'd' },
        managedFields: [{ manager: 'm' }],
      },
      spec: { n: 2 },
      status: { phase: 'Up' },
    });
    kind.status?.prepareForUpdate?.(next, old, {} as never);
    expect(next).toEqual(
      foo({
        metadata: {
          name: 'a',
          labels: { a: 'b' },
          uid: 'u',
          resourceVersion: '7',
          managedFields: [{ manager: 'm' }],
        },
        spec: { n: 1 },
        status: { phase: 'Up' },
      }),
    );
  });
});

describe('the schemas of a custom kind', () => {
  it('know no struct that is there when nobody gave it', () => {
    expect(kindOf(definition(version('v1'))).schemas.hasStructs).toBe(false);
  });

  it.each([
    { name: 'a field', path: ['one'] },
    { name: 'an element', path: ['many'] },
    { name: 'a value', path: ['named', 'x'] },
  ])('know the metadata of what is embedded as $name', ({ path }) => {
    const embedded = { type: 'object', 'x-kubernetes-embedded-resource': true };
    const properties = {
      one: embedded,
      many: { type: 'array', items: embedded },
      named: { type: 'object', additionalProperties: embedded },
      plain: { type: 'object' },
    };
    const { kind, schemas } = kindOf(
      definition(version('v1', { schema: { openAPIV3Schema: { type: 'object', properties } } })),
    );
    const labels = schemas.lookup(kind.schema, ...path, 'metadata', 'labels');
    expect(labels).toMatchObject({ additionalProperties: { type: 'string' } });
    expect(schemas.lookup(kind.schema, 'plain', 'metadata')).toBeUndefined();
  });
});

describe('hasFormat()', () => {
  it.each([
    { format: 'duration', text: 'P1D', want: true },
    { format: 'duration', text: '3 days and 2 hours', want: true },
    { format: 'duration', text: '1.5 lightyears', want: false },
    { format: 'ipv4', text: '1.2.3.04', want: true },
    { format: 'ipv4', text: '1.2.3.256', want: false },
    { format: 'ipv4', text: '::ffff:1.2.3.4', want: true },
    { format: 'byte', text: '', want: false },
    { format: 'byte', text: 'eA==', want: true },
  ])('takes $text for $format: $want', ({ format, text, want }) => {
    expect(hasFormat(text, format)).toBe(want);
  });
});

describe('numbers beyond int64', () => {
  it('are compared as fractions, and are a multiple of nothing', () => {
    const found = finish(
      validateBySchema({ n: 1e21 }, { properties: { n: { multipleOf: 0.5 } } }, ''),
    );
    expect(found.map(({ message }) => message)).toEqual([
      'Invalid value: 1e+21: n in body should be a multiple of 0.5',
    ]);
  });
});
