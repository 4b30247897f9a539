import { describe, expect, it } from '@jest/globals';
import { compile } from '../program.js';
import { standardFunctions } from '../functions/standard.js';
import { toJson } from '../values/to-json.js';
import { converterFor } from '../values/json-value.js';
import { compileRules } from './rules.js';
import { resolveFieldPath } from './field-path.js';
import { schemaType } from './schema-type.js';
import type { RuleSchema } from './structural.js';

const SCHEMA: RuleSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['replicas'],
      properties: {
        replicas: { type: 'integer' },
        ratio: { type: 'number' },
        'max-size': { type: 'integer' },
        namespace: { type: 'string', maxLength: 10 },
        port: { 'x-kubernetes-int-or-string': true },
        at: { type: 'string', format: 'date-time' },
        wait: { type: 'string', format: 'duration' },
        data: { type: 'string', format: 'byte' },
        tags: {
          type: 'array',
          maxItems: 5,
          'x-kubernetes-list-type': 'set',
          items: { type: 'string', maxLength: 5 },
        },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, n: { type: 'integer' } },
          },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};

const OBJECT = {
  apiVersion: 'a/v1',
  kind: 'A',
  metadata: { name: 'x' },
  spec: {
    replicas: 3,
    ratio: 2,
    'max-size': 7,
    namespace: 'n',
    port: '80',
    at: '2024-05-06T07:08:09Z',
    wait: '90s',
    data: 'aGk=',
    tags: ['a', 'b'],
    parts: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
    labels: { x: 'y' },
  },
};

function evaluate(source: string): unknown {
  const type = schemaType(SCHEMA, true)?.type ?? { kind: 'dyn' };
  const variables = new Map([['self', type]]);
  const { program, problem } = compile(source, { variables, functions: standardFunctions });
  if (!program) return problem;
  const { value, error } = program.evaluate({ get: () => converterFor(type)(OBJECT) });
  return value === undefined ? error : toJson(value);
}

describe('typed values of a schema', () => {
  it.each<readonly [string, unknown]>([
    ['self.metadata.name + self.kind', 'xA'],
    ['self.spec.replicas * 2', 6],
    ['self.spec.ratio / 4.0', 0.5],
    ['self.spec.max__dash__size', 7],
    ['self.spec.__namespace__', 'n'],
    ["type(self.spec.port) == string && self.spec.port == '80'", true],
    ['self.spec.at.getFullYear()', 2024],
    ["self.spec.wait > duration('1m')", true],
    ['string(self.spec.data)', 'hi'],
    ["self.spec.tags == ['b', 'a']", true],
    ["self.spec.tags + ['b', 'c']", ['a', 'b', 'c']],
    ['self.spec.parts.exists(p, p.n == 2)', true],
    ["self.spec.labels['x']", 'y'],
    ['has(self.spec.labels.z)', false],
  ])('%s', (source, want) => {
    expect(evaluate(source)).toEqual(want);
  });

  it('does not know what the schema does not name', () => {
    expect(evaluate('self.spec.nope')).toContain("undefined field 'nope'");
  });
});

describe('estimated cost', () => {
  const costOf = (rule: string, schema: RuleSchema): number | undefined =>
    compileRules({ ...schema, 'x-kubernetes-validations': [{ rule }] }, false)[0]?.maxCost;

  it.each<readonly [string, RuleSchema, number]>([
    ['self > 1', { type: 'integer' }, 2],
    ["self.matches('a+')", { type: 'string', maxLength: 10 }, 1 + 5],
    ['self.all(x, x > 0)', { type: 'array', maxItems: 3, items: { type: 'integer' } }, 17],
    [
      "self.all(k, k.matches('^[a-z]+$') && self[k] != '')",
      { type: 'object', maxProperties: 8, additionalProperties: { type: 'string', maxLength: 16 } },
      74,
    ],
    // Nothing bounds these: as much as fits into a request.
    ['self.all(x, x > 0)', { type: 'array', items: { type: 'integer' } }, 7_864_317],
    ["self.contains('x')", { type: 'string' }, 314_574],
    // The name of a type is as large as `self`.
    ['type(self) == int && self == 123', { 'x-kubernetes-int-or-string': true }, 314_578],
  ])('%s over %j', (rule, schema, want) => {
    expect(costOf(rule, schema)).toBe(want);
  });
});

describe('resolveFieldPath()', () => {
  it.each<readonly [path: string, want: string]>([
    ['.spec.replicas', 'spec.replicas'],
    ["['spec'].labels['a.b']", 'spec.labels[a.b]'],
    ['.spec.nope', 'does not refer to a valid field'],
    ['.spec.replicas.x', 'does not refer to a valid field'],
    ['spec', 'expected [ or . but got: spec'],
    ['.spec.', 'unexpected end of JSON path'],
    ['.spec[', 'unexpected end of JSON path'],
    ['.spec[0]', 'expected single quoted string but got 0'],
    [".spec['replicas'", 'unexpected end of JSON path'],
    [".spec['replicas'.", 'expected ] but got .'],
  ])('%s: %s', (path, want) => {
    const found = resolveFieldPath(path, SCHEMA);
    expect(found.problem ?? ('path' in found ? found.path : '')).toBe(want);
  });

  it('knows no keys where there must be none', () => {
    const found = resolveFieldPath(".spec.labels['a']", SCHEMA, { allowKeys: false });
    expect(found.problem).toBe('array notation is not allowed');
  });
});
