import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { findKind } from '@orrery/api';
import type { KindDescriptor } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import { DefaultValuesCheck } from './default-values-check.js';

const kind = findKind('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') as KindDescriptor;

const definition = (spec: object): KubeObject =>
  ({
    metadata: { name: 'foos.example.com' },
    spec: {
      versions: [
        {
          name: 'v1',
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  }) as unknown as KubeObject;

async function refusalsOf(spec: object, old?: object): Promise<string[]> {
  const attributes = {
    operation: 'CREATE',
    kind,
    subresource: '',
    object: definition(spec),
    ...(old ? { oldObject: definition(old) } : {}),
  } as unknown as AdmissionAttributes;
  try {
    await new DefaultValuesCheck().validate(attributes);
    return [];
  } catch (error) {
    const { details } = (error as StatusError).status;
    return (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
  }
}

const AT = 'spec.validation.openAPIV3Schema.properties[spec]';

describe('defaults in a definition', () => {
  it.each([
    { name: 'fit', spec: { type: 'integer', minimum: 1, default: 1 }, want: [] },
    {
      name: 'are of the type of their schema',
      spec: { type: 'integer', default: 'x' },
      want: [
        `${AT}.default: Invalid value: "string": ${AT}.default in body must be of type integer: "string"`,
      ],
    },
    {
      name: 'are in the range of their schema',
      spec: { type: 'object', properties: { n: { type: 'integer', minimum: 5, default: 1 } } },
      want: [
        `${AT}.properties[n].default: Invalid value: 1: ${AT}.properties[n].default in body should be greater than or equal to 5`,
      ],
    },
    {
      name: 'say nothing that the schema does not know',
      spec: { type: 'object', properties: { a: { type: 'string' } }, default: { b: 'x' } },
      want: [`${AT}.default: Invalid value: {"b":"x"}: must not have unknown fields`],
    },
    {
      name: 'hold to the rules',
      spec: {
        type: 'object',
        properties: { a: { type: 'integer' } },
        'x-kubernetes-validations': [{ rule: 'self.a > 1', message: 'too little' }],
        default: { a: 1 },
      },
      want: [`${AT}.default: Invalid value: too little`],
    },
  ])('$name', async ({ spec, want }) => {
    expect(await refusalsOf(spec)).toEqual(want);
  });

  it('are let be where they are stored already', async () => {
    const spec = { type: 'integer', default: 'x' };
    expect(await refusalsOf(spec, spec)).toEqual([]);
  });
});
