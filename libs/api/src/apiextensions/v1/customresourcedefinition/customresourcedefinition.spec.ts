import { describe, expect, it } from '@jest/globals';
import type { CustomResourceDefinition } from '../../../types.js';
import { setCustomResourceDefinitionDefaults } from './customresourcedefinition.kind.js';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionCreate,
  validateCustomResourceDefinitionUpdate,
} from './customresourcedefinition.validation.js';

type Loose = Record<string, unknown>;

const FREE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** A definition whose only version has `more`, and whose spec has `spec`. */
function definition(more: Loose = {}, spec: Loose = {}): CustomResourceDefinition {
  const crd = {
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: FREE }, ...more },
      ],
      ...spec,
    },
  } as unknown as CustomResourceDefinition;
  setCustomResourceDefinitionDefaults(crd);
  return crd;
}

const texts = (crd: CustomResourceDefinition): string[] =>
  validateCustomResourceDefinition(crd).map(({ field, message }) => `${field}: ${message}`);

const ofSpec = (spec: Loose, more: Loose = {}): CustomResourceDefinition =>
  definition({
    schema: { openAPIV3Schema: { type: 'object', properties: { spec }, ...more } },
  });

const AT = 'spec.validation.openAPIV3Schema';
const SPEC = `${AT}.properties[spec]`;
const RULE = (rule: string): string =>
  `apiextensions.ValidationRule{Rule:${JSON.stringify(rule)}, Message:"", MessageExpression:"", Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}`;

interface Case {
  readonly name: string;
  readonly crd: CustomResourceDefinition;
  readonly want: readonly string[];
}

describe('validateCustomResourceDefinition()', () => {
  it.each<Case>([
    { name: 'nothing wrong', crd: definition(), want: [] },
    {
      name: 'names that are none',
      crd: definition(
        {},
        {
          names: {
            plural: 'foos',
            singular: 'foo',
            kind: 'Foo_',
            listKind: 'Foo_',
            shortNames: ['F'],
          },
        },
      ),
      want: [
        `spec.names.kind: Invalid value: "Foo_": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
        `spec.names.listKind: Invalid value: "Foo_": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
        `spec.names.shortNames[0]: Invalid value: "F": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
        'spec.names.listKind: Invalid value: "Foo_": kind and listKind may not be the same',
      ],
    },
    {
      name: 'no schema',
      crd: definition({ schema: undefined }),
      want: ['spec.versions[0].schema.openAPIV3Schema: Required value'],
    },
    {
      name: 'a schema that is not structural',
      crd: ofSpec({ properties: { a: { type: 'array' }, b: { type: 'string', pattern: '(' } } }),
      want: [
        `${SPEC}.properties[a].items: Required value: must be specified`,
        `${SPEC}.properties[b].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
        `${SPEC}.type: Required value: must not be empty for specified object fields`,
      ],
    },
    {
      name: 'types in restrictions, and fields that only these know',
      crd: ofSpec({ type: 'object', anyOf: [{ properties: { x: { type: 'string' } } }] }),
      want: [
        `${SPEC}.anyOf[0].properties[x].type: Forbidden: must be empty to be structural`,
        `${SPEC}.properties[x]: Required value: because it is defined in ${SPEC}.anyOf[0].properties[x]`,
      ],
    },
    {
      name: 'int or string',
      crd: ofSpec({
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
      }),
      want: [],
    },
    {
      name: 'keywords that are not supported',
      crd: ofSpec({
        type: 'object',
        $ref: '#/x',
        uniqueItems: true,
        additionalProperties: { type: 'string' },
        properties: { a: { type: 'string' } },
      }),
      want: [
        `${SPEC}.$ref: Forbidden: $ref is not supported`,
        `${SPEC}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
        `${SPEC}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      ],
    },
    {
      name: 'a list of type map',
      crd: ofSpec({
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name', 'no'],
        items: { type: 'object', properties: { name: { type: 'string' } } },
      }),
      want: [
        `${SPEC}.items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
        `${SPEC}.x-kubernetes-list-map-keys: Invalid value: ["name","no"]: entries must all be names of item properties`,
      ],
    },
    {
      name: 'metadata that says too much',
      crd: ofSpec(
        { type: 'object' },
        { properties: { metadata: { type: 'object', required: ['labels'] } } },
      ),
      want: [
        `${AT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    },
    {
      name: 'a rule that does not compile',
      crd: ofSpec({
        type: 'object',
        properties: { n: { type: 'integer' } },
        'x-kubernetes-validations': [{ rule: "self.n == 'a'" }],
      }),
      want: [
        `${SPEC}.x-kubernetes-validations[0].rule: Invalid value: ${RULE("self.n == 'a'")}: compilation failed: ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n | self.n == 'a'\n | .......^`,
      ],
    },
    {
      name: 'a rule that is too expensive',
      crd: ofSpec({
        type: 'array',
        items: { type: 'string' },
        'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x.contains(y)))' }],
      }),
      want: [
        `${SPEC}.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
        `${SPEC}.x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
        `${AT}: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
      ],
    },
    {
      name: 'the same rule with bounds',
      crd: ofSpec({
        type: 'array',
        maxItems: 10,
        items: { type: 'string', maxLength: 10 },
        'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x.contains(y)))' }],
      }),
      want: [],
    },
    {
      name: 'a transition rule where old and new cannot be told together',
      crd: ofSpec({
        type: 'array',
        items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
      }),
      want: [
        `${SPEC}.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ${SPEC}`,
      ],
    },
    {
      name: 'texts of rules',
      crd: ofSpec({
        type: 'object',
        'x-kubernetes-validations': [
          { rule: ' ' },
          { rule: 'true', message: 'a\nb', reason: 'Nope', fieldPath: '.none' },
        ],
      }),
      want: [
        `${SPEC}.x-kubernetes-validations[0].rule: Required value: rule is not specified`,
        `${SPEC}.x-kubernetes-validations[1].message: Invalid value: "a\\nb": must not contain line breaks`,
        `${SPEC}.x-kubernetes-validations[1].reason: Unsupported value: "Nope": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
        `${SPEC}.x-kubernetes-validations[1].fieldPath: Invalid value: ".none": must be a valid path`,
      ],
    },
    {
      name: 'columns, scale and selectable fields',
      crd: definition({
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { a: { type: 'object' } } } },
          },
        },
        additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: 'spec.a' }],
        subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '.status.y' } },
        selectableFields: [{ jsonPath: '.spec.a' }, { jsonPath: '.spec.b' }],
      }),
      want: [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": must be a simple json path starting with .',
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec.a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        'spec.selectableFields[1].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
      ],
    },
    {
      name: 'conversion by a webhook that is not named',
      crd: definition(
        {},
        { conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v7'] } } },
      ),
      want: [
        'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
        'spec.conversion.conversionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1',
      ],
    },
  ])('finds $name', ({ crd, want }) => {
    expect(texts(crd)).toEqual(want);
  });

  it('wants approval for groups of the community', () => {
    const crd = definition({}, { group: 'x.k8s.io' });
    expect(validateCustomResourceDefinitionCreate(crd).map(({ field }) => field)).toEqual([
      'metadata.annotations[api-approved.kubernetes.io]',
    ]);
  });

  it('keeps versions that objects may be stored in', () => {
    const old = definition();
    old.status = { storedVersions: ['v0', 'v1'] };
    expect(
      validateCustomResourceDefinitionUpdate(definition(), old).map(({ message }) =>
        message.slice(0, 50),
      ),
    ).toEqual(['Invalid value: "v0": missing from spec.versions; v']);
  });
});
