import { describe, expect, it } from '@jest/globals';
import type { StructuralSchema } from './structural-schema.js';
import { RuleValidator } from './validate-rules.js';

const SCHEMA: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': [
        { rule: 'self.min <= self.max', message: 'min must not be above max', fieldPath: '.min' },
        {
          rule: 'self.max < 100',
          messageExpression: "'max is ' + string(self.max)",
          reason: 'FieldValueForbidden',
        },
        { rule: 'self.max >= oldSelf.max', message: 'max must not shrink' },
        {
          rule: '!oldSelf.hasValue() || self.min >= oldSelf.value().min',
          optionalOldSelf: true,
          message: 'min must not shrink',
        },
      ],
      properties: {
        min: { type: 'integer' },
        max: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self != 13' }] },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, n: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.n == oldSelf.n', message: 'n is fixed' }],
          },
        },
        loop: {
          type: 'array',
          items: { type: 'integer' },
          'x-kubernetes-validations': [
            { rule: 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))', message: 'looped' },
          ],
        },
        port: {
          'x-kubernetes-int-or-string': true,
          'x-kubernetes-validations': [{ rule: 'self > 0' }],
        },
      },
    },
  },
};

const validator = new RuleValidator(SCHEMA);
const check = async (
  spec: object,
  oldSpec?: object,
): Promise<{ errors: string[]; warnings: string[] }> => {
  const warnings: string[] = [];
  const errors = await validator.validate({
    object: { spec },
    ...(oldSpec ? { old: { spec: oldSpec } } : {}),
    warn: (message) => warnings.push(message),
  });
  return { errors: errors.map((one) => `${one.field}: ${one.message}`), warnings };
};

interface Case {
  readonly name: string;
  readonly spec: object;
  readonly old?: object;
  readonly want: readonly string[];
}

describe(RuleValidator.name, () => {
  it.each<Case>([
    { name: 'nothing wrong', spec: { min: 1, max: 2 }, want: [] },
    {
      name: 'a rule with a message and a field',
      spec: { min: 3, max: 2 },
      want: ['spec.min: Invalid value: min must not be above max'],
    },
    {
      name: 'a message that an expression makes, with a reason',
      spec: { min: 1, max: 200 },
      want: ['spec: Forbidden: max is 200'],
    },
    {
      name: 'a scalar without a message',
      spec: { min: 1, max: 13 },
      want: ['spec.max: Invalid value: 13: failed rule: self != 13'],
    },
    {
      name: 'a transition',
      spec: { min: 1, max: 4 },
      old: { min: 1, max: 5 },
      want: ['spec: Invalid value: max must not shrink'],
    },
    {
      name: 'an optional transition',
      spec: { min: 0, max: 5 },
      old: { min: 1, max: 5 },
      want: ['spec: Invalid value: min must not shrink'],
    },
    {
      name: 'an element of a list, found by its key',
      spec: {
        min: 1,
        max: 5,
        parts: [
          { name: 'b', n: 1 },
          { name: 'a', n: 9 },
        ],
      },
      old: { min: 1, max: 5, parts: [{ name: 'a', n: 1 }] },
      want: ['spec.parts[1]: Invalid value: n is fixed'],
    },
    {
      name: 'a field that is not there',
      spec: { max: 5 },
      want: [
        'spec: Invalid value: "object": no such key: min evaluating rule: min must not be above max',
      ],
    },
    {
      name: 'operands that do not fit',
      spec: { min: 1, max: 5, port: 'http' },
      want: [
        'spec.port: Invalid value: "": \'no such overload\': call arguments did not match a supported operator, function or macro signature for rule: self > 0',
      ],
    },
    {
      name: 'a loop that costs too much',
      spec: { min: 1, max: 5, loop: Array.from({ length: 200 }, (_, i) => i) },
      want: [
        'spec.loop: Invalid value: "array": \'operation cancelled: actual cost limit exceeded\': no further validation rules will be run due to call cost exceeds limit for rule: looped',
      ],
    },
  ])('finds $name', async ({ spec, old, want }) => {
    expect((await check(spec, old)).errors).toEqual(want);
  });

  it('only warns of what was as wrong before', async () => {
    const found = await check(
      { min: 1, max: 13, parts: [{ name: 'a', n: 1 }] },
      { min: 1, max: 13 },
    );
    expect(found).toEqual({
      errors: [],
      warnings: ['spec.max: Invalid value: 13: failed rule: self != 13'],
    });
  });
});
