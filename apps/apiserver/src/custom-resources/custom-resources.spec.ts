import { describe, expect, it } from '@jest/globals';
import { finish } from '@orrery/apimachinery';
import { applyDefaults } from './apply-defaults.js';
import { coerceEmbedded } from './coerce-embedded.js';
import { compareVersions } from './compare-versions.js';
import { assignJsonPath, evaluateJsonPath, parseJsonPath } from './json-path.js';
import { prune } from './prune.js';
import type { StructuralSchema } from './structural-schema.js';
import { validateEmbedded } from './validate-embedded.js';
import { validateListTypes } from './validate-lists.js';
import { validateScaleSpec, validateScaleStatus } from './validate-scale.js';
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
      name: 'none of oneOf, and what the closest wants',
      value: { a: 1 },
      schema: { oneOf: [{ required: ['b'] }, { required: ['c'] }] },
      want: [
        '<nil>: Invalid value: "": "" must validate one and only one schema (oneOf). Found none valid',
        'b: Required value',
      ],
    },
    {
      name: 'none of anyOf below, and all of allOf',
      value: { s: 5 },
      schema: {
        properties: {
          s: {
            anyOf: [{ minimum: 7, maximum: 9 }, { enum: ['a'] }],
            allOf: [{ maximum: 4 }, {}],
          },
        },
      },
      want: [
        '<nil>: Invalid value: "": "s" must validate at least one schema (anyOf)',
        's: Invalid value: 5: s in body should be greater than or equal to 7',
        's: Invalid value: 5: s in body should be less than or equal to 4',
        '<nil>: Invalid value: "": "s" must validate all the schemas (allOf)',
      ],
    },
    {
      name: 'two of oneOf, and what must not be',
      value: { s: 'a' },
      schema: { properties: { s: { oneOf: [{}, { enum: ['a'] }], not: { enum: ['a'] } } } },
      want: [
        '<nil>: Invalid value: "": "s" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        '<nil>: Invalid value: "": "s" must not validate the schema (not)',
      ],
    },
    {
      name: 'a value of another type, and none of those listed',
      value: { s: 5, t: null },
      schema: {
        properties: {
          s: { type: 'string', enum: ['5', 'b'] },
          t: { type: 'string', nullable: true, enum: ['a'] },
        },
      },
      want: [
        's: Invalid value: "integer": s in body must be of type string: "integer"',
        's: Unsupported value: 5: supported values: "5", "b"',
        't: Unsupported value: null: supported values: "a"',
      ],
    },
    {
      name: 'sizes',
      value: { l: [1], m: { a: 'x' }, s: 'abc', t: 'x' },
      schema: {
        properties: {
          l: { type: 'array', minItems: 2, items: { type: 'integer' } },
          m: { type: 'object', minProperties: 2, additionalProperties: { type: 'integer' } },
          s: { type: 'string', maxLength: 2, pattern: '^z' },
          t: { type: 'string', minLength: 2 },
        },
      },
      want: [
        'l: Invalid value: 1: l in body should have at least 2 items',
        'm: Invalid value: 1: m in body should have at least 2 properties',
        'm.a: Invalid value: "string": m.a in body must be of type integer: "string"',
        's: Too long: may not be more than 2 bytes',
        't: Invalid value: "x": t in body should be at least 2 chars long',
      ],
    },
    {
      name: 'numbers of the wrong kind',
      value: { n: 1.5, i: 2 ** 40, m: 7, z: 1 },
      schema: {
        properties: {
          n: { type: 'integer' },
          i: { type: 'integer', format: 'int32' },
          m: { type: 'integer', multipleOf: 2, exclusiveMaximum: true, maximum: 7 },
          z: { type: 'integer', multipleOf: 0 },
        },
      },
      want: [
        'n: Invalid value: "number": n in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in n',
        '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in i',
        'm: Invalid value: 7: m in body should be a multiple of 2',
        'm: Invalid value: 7: m in body should be less than 7',
        'z: Invalid value: 0: factor MultipleOf declared for z must be positive: 0',
      ],
    },
    {
      name: 'formats, known ones alone',
      value: { d: 'x', u: 'x', n: 5, l: ['x'], i: 'not an address' },
      schema: {
        properties: {
          d: { type: 'string', format: 'date-time' },
          u: { type: 'string', format: 'nobody-knows' },
          n: { type: 'string', format: 'date' },
          l: { type: 'string', format: 'date' },
          i: { type: 'string', format: 'ip' },
        },
      },
      want: [
        'd: Invalid value: "x": d in body must be of type date-time: "x"',
        'n: Invalid value: "int64": n in body must be of type date: "int64"',
      ],
    },
    {
      name: 'nothing wrong',
      value: { n: 1, s: 'x' },
      schema: { properties: { n: { 'x-kubernetes-int-or-string': true }, s: { type: 'string' } } },
      want: [],
    },
  ])('finds $name', ({ value, schema, want }) => {
    const texts = finish(validateBySchema(value, schema, '')).map(
      (one) => `${one.field}: ${one.message}`,
    );
    expect(texts).toEqual(want);
  });
});

describe('validateBySchema() of very much', () => {
  const many = (count: number, item: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => item(i));
  const values = many(5000, (i) => `choice-${i}`);
  const schema: StructuralSchema = { items: { type: 'string', enum: values } };

  it('finds each of 5,000 values in an enum of 5,000', () => {
    expect(finish(validateBySchema([...values].reverse(), schema, 'a'))).toEqual([]);
  });

  it('stops where findings that print the whole enum are more than anybody reads', () => {
    const found = finish(
      validateBySchema(
        many(5000, (i) => `other-${i}`),
        schema,
        'a',
      ),
    );
    expect(found[0]).toMatchObject({ type: 'FieldValueNotSupported', field: 'a.[0]' });
    expect(found.length).toBeLessThan(20);
  });

  it('can be interrupted between the values of a list', () => {
    const short: StructuralSchema = { items: { anyOf: [{ pattern: 'x' }, { pattern: 'y' }] } };
    const steps = validateBySchema(
      many(3000, () => 'y'),
      short,
      'a',
    );
    let turns = 0;
    while (!steps.next().done) turns += 1;
    expect(turns).toBe(3000);
  });
});

describe('validateBySchema() of a part', () => {
  it('names it where it stands, and words it as if it stood alone', () => {
    const schema: StructuralSchema = { type: 'object', properties: { n: { type: 'integer' } } };
    const texts = (value: unknown): string[] =>
      finish(validateBySchema(value, schema, 'status')).map(
        (one) => `${one.field}: ${one.message}`,
      );
    expect(texts({ n: 'x' })).toEqual([
      'status.n: Invalid value: "string": n in body must be of type integer: "string"',
    ]);
    expect(texts(3)).toEqual([
      'status: Invalid value: "integer":  in body must be of type object: "integer"',
    ]);
  });

  it('lets pass what was as wrong before', () => {
    const schema: StructuralSchema = {
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    };
    const found = finish(validateBySchema({ a: 'x', b: 'y' }, schema, '', { a: 'x', b: 2 }));
    expect(found.map(({ field }) => field)).toEqual(['b']);
  });
});

describe('validateListTypes()', () => {
  it.each([
    {
      name: 'a value for the third time once',
      value: ['a', 'a', 'a'],
      type: 'set',
      want: ['l[1]: Duplicate value: "a"'],
    },
    {
      name: 'what has no key',
      value: [{}, { v: 1 }],
      type: 'map',
      want: ['l[1]: Duplicate value: {}'],
    },
    {
      name: 'what is no object',
      value: [{ k: 'a' }, 'b'],
      type: 'map',
      want: ['l[1]: Invalid value: "b": must be an object for an array of list-type map'],
    },
  ])('finds $name', ({ value, type, want }) => {
    const schema: StructuralSchema = {
      properties: { l: { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': ['k'] } },
    };
    const found = finish(validateListTypes({ l: value }, schema, ''));
    expect(found.map((one) => `${one.field}: ${one.message}`)).toEqual(want);
  });
});

describe('validateEmbedded()', () => {
  it.each([
    {
      name: 'nothing of a resource',
      value: {},
      want: ['e.apiVersion: Required value', 'e.kind: Required value'],
    },
    {
      name: 'what is no text',
      value: { apiVersion: 1, kind: '' },
      want: [
        'e.apiVersion: Invalid value: 1: must be a string',
        'e.kind: Invalid value: "": must not be empty',
      ],
    },
    {
      name: 'metadata that cannot be read',
      value: { apiVersion: 'a/b/c', kind: 'X', metadata: { labels: 'x' } },
      want: [
        'e.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'e.metadata: Invalid value: {"labels":"x"}: json: cannot unmarshal string into Go struct field ObjectMeta.labels of type map[string]string',
      ],
    },
  ])('finds $name', ({ value, want }) => {
    const schema: StructuralSchema = {
      properties: { e: { 'x-kubernetes-embedded-resource': true } },
    };
    const found = validateEmbedded({ e: value }, schema, '');
    expect(found.map((one) => `${one.field}: ${one.message}`)).toEqual(want);
  });
});

describe('coerceEmbedded()', () => {
  const schema: StructuralSchema = {
    properties: { e: { items: { 'x-kubernetes-embedded-resource': true } } },
  };
  const refuse = (reason: string): never => {
    throw new Error(reason);
  };

  it('leaves what metadata has, and names the rest', () => {
    const object = {
      e: [{ kind: 'X', metadata: { name: '', labels: {}, zz: 1 } }, { metadata: null }],
    };
    expect(coerceEmbedded(object, schema, '', refuse)).toEqual(['e[0].metadata.zz']);
    expect(object).toEqual({ e: [{ kind: 'X', metadata: {} }, { metadata: {} }] });
  });

  it.each([
    {
      name: 'a kind that is no text',
      value: { kind: 5 },
      want: 'e[0].kind: Invalid value: 5: must be a string',
    },
    {
      name: 'labels of another type',
      value: { metadata: { labels: { a: 5 } } },
      want: 'e[0].metadata: Invalid value: {"labels":{"a":5}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    },
  ])('refuses $name', ({ value, want }) => {
    expect(() => coerceEmbedded({ e: [value] }, schema, '', refuse)).toThrow(want);
  });
});

describe('the scale of a custom resource', () => {
  const scale = {
    specReplicasPath: '.spec.n',
    statusReplicasPath: '.status.n',
    labelSelectorPath: '.status.s',
  };

  it.each([
    { name: 'nothing of what is absent', object: {}, want: [] },
    {
      name: 'numbers that cannot be',
      object: { spec: { n: -1 }, status: { n: 2 ** 31 } },
      want: [
        '.spec.n: Invalid value: -1: should be a non-negative integer',
        '.status.n: Invalid value: 2147483648: should be less than or equal to 2147483647',
      ],
    },
    {
      name: 'what is no number, no text and no object',
      object: { spec: ['x'], status: { n: 1.5, s: { b: 1, a: true } } },
      want: [
        '.spec.n: Invalid value: 0: .spec.n accessor error: [x] is of the type []interface {}, expected map[string]interface{}',
        '.status.n: Invalid value: 0: .status.n accessor error: 1.5 is of the type float64, expected int64',
        '.status.s: Invalid value: "": .status.s accessor error: map[a:true b:1] is of the type map[string]interface {}, expected string',
      ],
    },
  ])('finds $name', ({ object, want }) => {
    const found = [...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale)];
    expect(found.map((one) => `${one.field}: ${one.message}`)).toEqual(want);
  });
});

describe('compareVersions()', () => {
  it('puts stable before beta before alpha, and newer first', () => {
    const versions = ['v1alpha1', 'v1', 'foo', 'v2beta1', 'v10', 'v2beta2', 'v2'];
    const want = ['v10', 'v2', 'v1', 'v2beta2', 'v2beta1', 'v1alpha1', 'foo'];
    expect(versions.sort(compareVersions)).toEqual(want);
  });
});
