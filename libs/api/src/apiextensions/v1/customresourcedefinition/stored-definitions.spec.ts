import { describe, expect, it } from '@jest/globals';
import type { RefusedUpdate } from '../../../findings.fixture.js';
import { updateRefusals } from '../../../findings.fixture.js';
import { CustomResourceDefinitionKind } from './customresourcedefinition.kind.js';

const conversion = (...conversionReviewVersions: string[]): object => ({
  strategy: 'Webhook',
  webhook: { conversionReviewVersions, clientConfig: { url: 'https://a.example.com' } },
});

const names = Array.from({ length: 9 }, (_, i) => `f${i}`);
const openAPIV3Schema = {
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
};
const version = (fields: readonly string[]): object => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema },
  selectableFields: fields.map((name) => ({ jsonPath: `.${name}` })),
});

const of = (spec: object): object => ({ spec, status: { storedVersions: ['v1'] } });

describe('what definitions that are stored may keep', () => {
  it.each<RefusedUpdate>([
    {
      name: 'no known version of reviews',
      before: of({ conversion: conversion('v7') }),
      after: of({ conversion: conversion('v8') }),
      want: [],
    },
    {
      name: 'not where there was one',
      before: of({ conversion: conversion('v1') }),
      after: of({ conversion: conversion('v8') }),
      want: [
        'spec.conversion.conversionReviewVersions: Invalid value: ["v8"]: must include at least one of v1, v1beta1',
      ],
    },
    {
      name: 'more selectable fields than may be',
      before: of({ versions: [version(names)] }),
      after: of({ versions: [version(names)] }),
      want: [],
    },
    {
      name: 'not others',
      before: of({ versions: [version(names)] }),
      after: of({ versions: [version(names.toReversed())] }),
      want: ['spec.selectableFields: Too many: 9: must have at most 8 items'],
    },
  ])('$name', ({ before, after, want }) => {
    expect(updateRefusals(CustomResourceDefinitionKind, before, after)).toEqual(want);
  });
});
