import { describe, expect, it } from '@jest/globals';
import { customDefinition } from './custom-definition.js';

type Resource = Parameters<typeof customDefinition>[0];

function published(schema: Record<string, unknown> | undefined, v2: boolean): unknown {
  const resource = {
    kind: { group: 'example.com', version: 'v1', kind: 'Foo' },
    custom: { openApiSchema: schema },
  } as unknown as Resource;
  const { 'x-kubernetes-group-version-kind': names, ...rest } = customDefinition(resource, v2);
  expect(names).toEqual([{ group: 'example.com', version: 'v1', kind: 'Foo' }]);
  const { properties, ...others } = rest;
  if (properties === undefined) return others;
  const { apiVersion, kind, metadata, ...own } = properties as Record<string, unknown>;
  expect([apiVersion, kind]).toMatchObject([{ type: 'string' }, { type: 'string' }]);
  expect(metadata).toMatchObject({ description: expect.stringMatching(/^Standard object's met/) });
  return { ...others, properties: own };
}

const PRESERVE = { 'x-kubernetes-preserve-unknown-fields': true };

const TABLE = [
  { name: 'no schema', schema: undefined, v2: { type: 'object' }, v3: { type: 'object' } },
  {
    name: 'unknown fields at the root',
    schema: { type: 'object', ...PRESERVE, properties: { spec: { type: 'object' } } },
    v2: { type: 'object' },
    v3: { type: 'object', ...PRESERVE, properties: { spec: { type: 'object' } } },
  },
  {
    name: 'unknown fields below',
    schema: {
      type: 'object',
      properties: { spec: { type: 'object', ...PRESERVE, properties: { a: {} } } },
    },
    v2: { type: 'object', properties: { spec: PRESERVE } },
  },
  {
    name: 'a list of whatever',
    schema: {
      type: 'object',
      properties: { list: { type: 'array', ...PRESERVE, items: { type: 'string' } } },
    },
    v2: { type: 'object', properties: { list: PRESERVE } },
  },
  {
    name: 'a field that may be null is not required',
    schema: {
      type: 'object',
      required: ['a', 'b'],
      properties: { a: { type: 'string', nullable: true }, b: { type: 'string' } },
    },
    v2: { type: 'object', required: ['b'], properties: { a: {}, b: { type: 'string' } } },
  },
  {
    name: 'junctors, but not fields of such names',
    schema: {
      type: 'object',
      anyOf: [{ required: ['not'] }],
      properties: { not: { type: 'string', oneOf: [{ pattern: 'a' }] } },
    },
    v2: { type: 'object', properties: { not: { type: 'string' } } },
  },
];

describe('the published definition of a custom kind', () => {
  it.each(TABLE)('says of $name what kubectl can take', ({ schema, v2 }) => {
    expect(published(schema, true)).toEqual(v2);
  });

  it.each(TABLE)('says $name in v3 as it is', ({ schema, v3 }) => {
    expect(published(schema, false)).toEqual(v3 ?? schema);
  });

  it('gives embedded objects their names, unless v2 lets every field be there', () => {
    const node = { type: 'object', 'x-kubernetes-embedded-resource': true };
    const schema = {
      type: 'object',
      properties: { open: { ...node, ...PRESERVE }, closed: node },
    };
    const { properties } = published(schema, true) as { properties: Record<string, unknown> };
    expect(properties['open']).toEqual({ 'x-kubernetes-embedded-resource': true, ...PRESERVE });
    expect(properties['closed']).toMatchObject({
      properties: { apiVersion: {}, kind: {}, metadata: {} },
      required: ['kind', 'apiVersion'],
    });
  });
});
