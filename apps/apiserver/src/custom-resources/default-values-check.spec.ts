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
      want: [`${AT}.default: Invalid value: "string":  in body must be of type integer: "string"`],
    },
    {
      name: 'are in the range of their schema',
      spec: { type: 'object', properties: { n: { type: 'integer', minimum: 5, default: 1 } } },
      want: [
        `${AT}.properties[n].default: Invalid value: 1:  in body should be greater than or equal to 5`,
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
    {
      name: 'hold to the rules of changes, too',
      spec: {
        type: 'integer',
        'x-kubernetes-validations': [{ rule: 'self > oldSelf', message: 'must grow' }],
        default: 1,
      },
      want: [`${AT}.default: Invalid value: 1: must grow`],
    },
    {
      name: 'inside of metadata give good metadata',
      spec: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: {
          kind: { type: 'string', default: '%' },
          metadata: { type: 'object', properties: { name: { type: 'string', default: 'a/b' } } },
        },
      },
      want: [
        `${AT}.properties[kind].default: Invalid value: "%": must result in valid metadata: kind: Invalid value: "%": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
        `${AT}.properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain '/'`,
      ],
    },
    {
      name: 'are all judged that can be',
      spec: { type: 'string', enum: ['a', 'ab'], default: 5 },
      want: [
        `${AT}.default: Invalid value: "integer":  in body must be of type string: "integer"`,
        `${AT}.default: Unsupported value: 5: supported values: "a", "ab"`,
      ],
    },
  ])('$name', async ({ spec, want }) => {
    expect(await refusalsOf(spec)).toEqual(want);
  });

  it('are let be where they are stored already', async () => {
    const spec = { type: 'integer', default: 'x' };
    expect(await refusalsOf(spec, spec)).toEqual([]);
  });
});
