import { describe, expect, it } from '@jest/globals';
import { applyDefaults } from './apply-defaults.js';
import { compareVersions } from './served-definitions.js';
import { assignJsonPath, evaluateJsonPath, parseJsonPath } from './json-path.js';
import { prune } from './prune.js';
import type { StructuralSchema } from './structural-schema.js';
import { validateBySchema } from './validate-schema.js';

const OBJECT = {
  metadata: { annotations: { 'a.b/c': 'x' } },
  spec: {
    items: [
      { name: 'a', v: 1 },
      { name: 'b', v: 2 },
    ],
  },
};

describe('parseJsonPath()', () => {
  it.each([
    { name: 'a field', path: '.spec.items[0].name', want: ['a'] },
    { name: 'all elements', path: '.spec.items[*].v', want: [1, 2] },
    { name: 'a filter', path: '.spec.items[?(@.name=="b")].v', want: [2] },
    { name: 'an escaped dot', path: '.metadata.annotations.a\\.b/c', want: ['x'] },
    { name: 'a quoted field', path: ".metadata.annotations['a.b/c']", want: ['x'] },
    { name: 'a field that is not there', path: '.spec.none.x', want: [] },
  ])('finds $name', ({ path, want }) => {
    expect(evaluateJsonPath(parseJsonPath(path) ?? [], OBJECT)).toEqual(want);
  });

  it('writes through objects that are not there yet', () => {
    const object = {};
    assignJsonPath(parseJsonPath('.spec.replicas') ?? [], object, 3);
    expect(object).toEqual({ spec: { replicas: 3 } });
  });
});

describe('prune()', () => {
  it('removes unknown fields at any depth and names them', () => {
    const schema: StructuralSchema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { list: { type: 'array', items: { type: 'object', properties: { a: {} } } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    };
    const object = { kind: 'X', spec: { b: 1, list: [{ a: 1, c: 2 }] }, free: { z: 1 } };
    expect(prune(object, schema)).toEqual(['spec.b', 'spec.list[0].c']);
    expect(object).toEqual({ kind: 'X', spec: { list: [{ a: 1 }] }, free: { z: 1 } });
  });
});

describe('prune() of type and metadata', () => {
  it('keeps them whatever the schema says of them', () => {
    const schema: StructuralSchema = {
      type: 'object',
      properties: { kind: { type: 'string' }, metadata: { type: 'object' } },
    };
    const object = { apiVersion: 'a/v1', kind: 'X', metadata: { name: 'a', labels: { b: 'c' } } };
    expect(prune(object, schema)).toEqual([]);
    expect(object.metadata).toEqual({ name: 'a', labels: { b: 'c' } });
  });
});

describe('applyDefaults()', () => {
  it('fills what is absent, or null where null is not allowed', () => {
    const schema: StructuralSchema = {
      properties: {
        a: { type: 'integer', default: 1 },
        b: { type: 'integer', default: 2, nullable: true },
        c: { type: 'object', default: {}, properties: { d: { default: 'x' } } },
      },
    };
    const object = { a: null, b: null };
    applyDefaults(object, schema);
    expect(object).toEqual({ a: 1, b: null, c: { d: 'x' } });
  });
});

interface Case {
  readonly name: string;
  readonly value: unknown;
  readonly schema: StructuralSchema;
  readonly want: readonly string[];
}

describe('validateBySchema()', () => {
  it.each<Case>([
    {
      name: 'a wrong type',
      value: { n: 'x' },
      schema: { properties: { n: { type: 'integer' } } },
      want: ['n: Invalid value: "string": n in body must be of type integer: "string"'],
    },
    {
      name: 'an absent required field',
      value: {},
      schema: { required: ['n'] },
      want: ['n: Required value'],
    },
    {
      name: 'a number out of bounds',
      value: { n: 11 },
      schema: { properties: { n: { maximum: 10 } } },
      want: ['n: Invalid value: 11: n in body should be less than or equal to 10'],
    },
    {
      name: 'a pattern',
      value: { s: 'b' },
      schema: { properties: { s: { type: 'string', pattern: '^a$' } } },
      want: [`s: Invalid value: "b": s in body should match '^a$'`],
    },
    {
      name: 'null where it is not allowed',
      value: { s: null },
      schema: { properties: { s: { type: 'string' } } },
      want: ['s: Invalid value: "null": s in body must be of type string: "null"'],
    },
    {
      name: 'none of oneOf',
      value: { a: 1 },
      schema: { oneOf: [{ required: ['b'] }, { required: ['c'] }] },
      want: [
        ': Invalid value: {"a":1}: "" must validate one and only one schema (oneOf). Found none valid',
      ],
    },
    {
      name: 'nothing wrong',
      value: { n: 1, s: 'x' },
      schema: { properties: { n: { 'x-kubernetes-int-or-string': true }, s: { type: 'string' } } },
      want: [],
    },
  ])('finds $name', ({ value, schema, want }) => {
    const texts = validateBySchema(value, schema, '').map((one) => `${one.field}: ${one.message}`);
    expect(texts).toEqual(want);
  });
});

describe('compareVersions()', () => {
  it('puts stable before beta before alpha, and newer first', () => {
    const versions = ['v1alpha1', 'v1', 'foo', 'v2beta1', 'v10', 'v2beta2', 'v2'];
    const want = ['v10', 'v2', 'v1', 'v2beta2', 'v2beta1', 'v1alpha1', 'foo'];
    expect(versions.sort(compareVersions)).toEqual(want);
  });
});
