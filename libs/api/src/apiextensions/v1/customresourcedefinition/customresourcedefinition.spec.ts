import { describe, expect, it } from '@jest/globals';
import type { CustomResourceDefinition } from '../../../types.js';
import { formatWarnings } from './format-warnings.js';
import { internalForm } from './internal-form.js';
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

it('stores the storage version where its status names none', () => {
  const crd = definition();
  Object.assign(crd, { status: { storedVersions: [] } });
  setCustomResourceDefinitionDefaults(crd);
  expect(crd.status?.storedVersions).toEqual(['v1']);
});

const AT = 'spec.validation.openAPIV3Schema';
const SPEC = `${AT}.properties[spec]`;
const RULE = (rule: string): string =>
  JSON.stringify({
    Rule: rule,
    Message: '',
    MessageExpression: '',
    Reason: null,
    FieldPath: '',
    OptionalOldSelf: null,
  });
const LABEL = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`;

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
      name: 'empty short names and categories',
      crd: definition(
        {},
        { names: { plural: 'foos', kind: 'Foo', shortNames: [''], categories: [''] } },
      ),
      want: [
        `spec.names.shortNames[0]: Invalid value: "": ${LABEL}`,
        `spec.names.categories[0]: Invalid value: "": ${LABEL}`,
      ],
    },
    {
      name: 'a name of a version that is none, which is that of the whole, too',
      crd: definition({ name: 'V_1' }),
      want: [
        `spec.versions[0].name: Invalid value: "V_1": ${LABEL}`,
        `spec.version: Invalid value: "V_1": ${LABEL}`,
      ],
    },
    {
      name: 'versions of the same name',
      crd: definition(
        {},
        {
          versions: [
            { name: 'v1', schema: { openAPIV3Schema: FREE } },
            { name: 'v1', storage: true, schema: { openAPIV3Schema: FREE } },
          ],
        },
      ),
      want: [
        `spec.versions: Invalid value: [{"Name":"v1","Served":false,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null},{"Name":"v1","Served":false,"Storage":true,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must contain unique version names`,
      ],
    },
    {
      name: 'what a definition that keeps unknown fields cannot have',
      crd: definition(
        {
          schema: {
            openAPIV3Schema: { ...FREE, properties: { a: { type: 'string', default: 'x' } } },
          },
        },
        {
          preserveUnknownFields: true,
          conversion: {
            strategy: 'Webhook',
            webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://a' } },
          },
        },
      ),
      want: [
        'spec.preserveUnknownFields: Invalid value: true: must be false in order to use defaults in the schema',
        'spec.conversion.strategy: Invalid value: "Webhook": must be None if spec.preserveUnknownFields is true',
      ],
    },
    {
      name: 'a root that a status does not allow',
      crd: definition({
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', not: { required: ['a'] } } },
      }),
      want: [
        `${AT}: Invalid value: ${JSON.stringify(internalForm.schema({ type: 'object', not: { required: ['a'] } }))}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled`,
      ],
    },
    {
      name: 'a root of another type beside a status',
      crd: definition({
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'string' } },
      }),
      want: [
        `${AT}.type: Invalid value: "string": only "object" is allowed as the type at the root of the schema if the status subresource is enabled`,
        `${AT}.type: Invalid value: "string": must be object at the root`,
      ],
    },
    {
      name: 'nothing of the structure of what no structure has',
      crd: ofSpec({ properties: { a: { $ref: '#/x' }, b: { type: 'array', items: [] } } }),
      want: [
        `${SPEC}.properties[a].$ref: Forbidden: $ref is not supported`,
        `${SPEC}.properties[b].items: Forbidden: items must be a schema object and not an array`,
      ],
    },
    {
      name: 'the URL of a schema, which its keywords say nothing of',
      crd: ofSpec({ properties: { a: { type: 'string', $schema: 'x' }, b: { type: 'x' } } }),
      want: [
        `${SPEC}.properties[b].type: Unsupported value: "x": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    },
    {
      name: 'the URL of a schema alone',
      crd: ofSpec({ type: 'object', properties: { a: { type: 'string', $schema: 'x' } } }),
      want: [`${AT}: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`],
    },
    {
      name: 'unknown fields that are said not to be kept',
      crd: ofSpec({
        type: 'object',
        properties: { x: { 'x-kubernetes-preserve-unknown-fields': false } },
      }),
      want: [
        `${SPEC}.properties[x].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
      ],
    },
    {
      name: 'what must not be below restrictions',
      crd: ofSpec({
        type: 'object',
        properties: { l: { type: 'array', items: { type: 'string' } } },
        allOf: [
          {
            nullable: true,
            additionalProperties: false,
            'x-kubernetes-list-type': 'set',
            'x-kubernetes-list-map-keys': ['a'],
          },
          { additionalProperties: true, title: 'x' },
        ],
      }),
      want: [
        `${SPEC}.allOf[0].nullable: Forbidden: must be false to be structural`,
        `${SPEC}.allOf[0].x-kubernetes-list-map-keys: Forbidden: must be empty to be structural`,
        `${SPEC}.allOf[0].x-kubernetes-list-type: Forbidden: must be undefined to be structural`,
        `${SPEC}.allOf[1].additionalProperties: Forbidden: must be undefined to be structural`,
        `${SPEC}.allOf[1].title: Forbidden: must be empty to be structural`,
        `${SPEC}.allOf[0].type: Required value: must be array if x-kubernetes-list-type is specified`,
        `${SPEC}.allOf[0].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty`,
      ],
    },
    {
      name: 'metadata below restrictions',
      crd: ofSpec(
        { type: 'object' },
        {
          anyOf: [{ properties: { metadata: { required: ['name'] } } }],
          properties: { metadata: { type: 'object' } },
        },
      ),
      want: [
        `${AT}.anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context`,
      ],
    },
    {
      name: 'metadata with a description, and metadata of another type',
      crd: ofSpec(
        {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { metadata: { type: 'string' } },
        },
        { properties: { metadata: { type: 'string', description: 'x' } } },
      ),
      want: [
        `${AT}.properties[metadata].type: Invalid value: "string": must be object`,
        `${AT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    },
    {
      name: 'an empty list type, and items that are no schema',
      crd: ofSpec({
        type: 'object',
        properties: {
          a: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': '' },
          b: {
            type: 'array',
            items: null,
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
          },
        },
      }),
      want: [
        `${SPEC}.properties[b].items: Required value: must be specified`,
        `${SPEC}.properties[a].x-kubernetes-list-type: Unsupported value: "": supported values: "atomic", "set", "map"`,
        `${SPEC}.properties[b].items: Invalid value: {"Schema":null,"JSONSchemas":null}: must only have a single schema if x-kubernetes-list-type is map`,
      ],
    },
    {
      name: 'a warning with what cannot be printed',
      crd: definition({ deprecated: true, deprecationWarning: 'ä\u00a0b' }),
      want: [
        'spec.versions[0].deprecationWarning: Invalid value: "ä\\u00a0b": must only contain printable UTF-8 characters; non-printable character found at index 2',
      ],
    },
    {
      name: 'paths of selectable fields that are none',
      crd: definition({
        selectableFields: [{ jsonPath: "['a']" }, { jsonPath: '.spec.' }, { jsonPath: 'spec' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', additionalProperties: { type: 'string' } } },
          },
        },
      }),
      want: [
        `spec.selectableFields[0].jsonPath: Invalid value: "['a']": is an invalid path: array notation is not allowed`,
        'spec.selectableFields[1].jsonPath: Invalid value: ".spec.": is an invalid path: unexpected end of JSON path',
        'spec.selectableFields[2].jsonPath: Invalid value: "spec": is an invalid path: expected [ or . but got: spec',
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
    crd.status = { storedVersions: ['v1'] };
    expect(validateCustomResourceDefinitionCreate(crd).map(({ field }) => field)).toEqual([
      'metadata.annotations[api-approved.kubernetes.io]',
    ]);
  });

  it.each([
    {
      name: 'none',
      storedVersions: undefined,
      want: 'status.storedVersions: Invalid value: null: must have at least one stored version',
    },
    {
      name: 'not the one that is stored',
      storedVersions: ['v0'],
      want: 'status.storedVersions: Invalid value: ["v0"]: must have the storage version v1',
    },
  ])('wants the stored versions to be told: $name', ({ storedVersions, want }) => {
    const crd = definition();
    crd.status = { storedVersions } as CustomResourceDefinition['status'];
    const [first] = validateCustomResourceDefinitionCreate(crd);
    expect(`${first?.field}: ${first?.message}`).toBe(want);
  });

  it('keeps unknown fields only where they were kept', () => {
    const crd = definition({}, { preserveUnknownFields: true });
    crd.status = { storedVersions: ['v1'] };
    const text =
      'Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    expect(validateCustomResourceDefinitionCreate(crd).map(({ message }) => message)).toEqual([
      text,
    ]);
    expect(validateCustomResourceDefinitionUpdate(crd, crd)).toEqual([]);
  });

  it('takes no bad certificates for what is served', () => {
    const withBundle = (text: string): CustomResourceDefinition => {
      const caBundle = Buffer.from(text).toString('base64');
      const webhook = {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: 'https://a', caBundle },
      };
      const crd = definition({}, { conversion: { strategy: 'Webhook', webhook } });
      crd.status = {
        storedVersions: ['v1'],
        conditions: [{ type: 'Established', status: 'True' }],
      } as CustomResourceDefinition['status'];
      return crd;
    };
    const found = (text: string, before: string): string[] =>
      validateCustomResourceDefinitionUpdate(withBundle(text), withBundle(before)).map(
        ({ field, message }) => `${field}: ${message}`,
      );
    expect(found('x', '')).toEqual([
      'spec.conversion.webhookClientConfig.caBundle: Invalid value: "eA==": unable to load root certificates: unable to parse bytes as PEM block',
    ]);
    expect(found('x', 'y')).toEqual([]);
    expect(validateCustomResourceDefinition(withBundle('x'))).toEqual([]);
  });

  it('warns of formats that nobody checks, once they are new', () => {
    const crd = ofSpec({
      type: 'object',
      properties: {
        a: { type: 'string', format: 'date-time' },
        b: { type: 'string', format: 'nobody' },
        c: { type: 'integer', format: 'int32' },
        d: { type: 'boolean', format: 'date' },
      },
    });
    expect(formatWarnings(crd)).toEqual([
      'unrecognized format "nobody"',
      'unrecognized format "date"',
    ]);
    expect(formatWarnings(crd, crd)).toEqual([]);
  });

  it('keeps versions that objects may be stored in', () => {
    const crd = definition();
    crd.status = { storedVersions: ['v0', 'v1'] };
    expect(
      validateCustomResourceDefinitionUpdate(crd, definition()).map(({ message }) =>
        message.slice(0, 50),
      ),
    ).toEqual(['Invalid value: "v0": missing from spec.versions; v']);
  });
});
