import type { JSONSchemaProps } from '../../../types.js';

/** How Go prints a field of a struct that is not set. */
type Zero = '' | 0 | false | null;

interface Field {
  readonly name: string;
  readonly from: string;
  readonly zero: Zero;
  readonly convert: (value: unknown) => unknown;
}

const same = (value: unknown): unknown => value;

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `Name` or `Name=jsonName`, a colon and the zero: s(tring), n(umber), b(ool), p(ointer, list or map). */
function fieldsOf(text: string, convert: Readonly<Record<string, Field['convert']>> = {}): Field[] {
  const zeros: Readonly<Record<string, Zero>> = { s: '', n: 0, b: false, p: null };
  return text
    .trim()
    .split(/\s+/)
    .map((one) => {
      const [names = '', zero = 'p'] = one.split(':');
      const [name = '', from = name.charAt(0).toLowerCase() + name.slice(1)] = names.split('=');
      return { name, from, zero: zeros[zero] ?? null, convert: convert[name] ?? same };
    });
}

const toStruct =
  (fields: () => readonly Field[]) =>
  (value: unknown): unknown =>
    isPlain(value)
      ? Object.fromEntries(
          fields().map(({ name, from, zero, convert }) => {
            const given = Object.hasOwn(value, from) ? value[from] : undefined;
            return [name, given === undefined || given === null ? zero : convert(given)];
          }),
        )
      : value;

const each =
  (convert: Field['convert']) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map((one: unknown) => convert(one)) : value;

const eachValue =
  (convert: Field['convert']) =>
  (value: unknown): unknown =>
    isPlain(value)
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .map((key) => [key, convert(value[key])]),
        )
      : value;

const toRule = toStruct(() =>
  fieldsOf('Rule:s Message:s MessageExpression:s Reason:p FieldPath:s OptionalOldSelf:p'),
);

const orBool = (value: unknown): unknown =>
  isPlain(value)
    ? { Allows: true, Schema: toSchema(value) }
    : { Allows: value === true, Schema: null };
const orArray = (value: unknown): unknown =>
  Array.isArray(value)
    ? { Schema: null, JSONSchemas: value.map(toSchema) }
    : { Schema: toSchema(value), JSONSchemas: null };
const orStrings = (value: unknown): unknown =>
  Array.isArray(value)
    ? { Schema: null, Property: value }
    : { Schema: toSchema(value), Property: null };

/** In the order of Go's struct, by which the first odd field is found, too. */
const SCHEMA_FIELDS = fieldsOf(
  `ID=id:s Schema=$schema:s Ref=$ref:p Description:s Type:s Nullable:b Format:s Title:s Default:p Maximum:p
  ExclusiveMaximum:b Minimum:p ExclusiveMinimum:b MaxLength:p MinLength:p Pattern:s MaxItems:p MinItems:p
  UniqueItems:b MultipleOf:p Enum:p MaxProperties:p MinProperties:p Required:p Items:p AllOf:p OneOf:p AnyOf:p
  Not:p Properties:p AdditionalProperties:p PatternProperties:p Dependencies:p AdditionalItems:p Definitions:p
  ExternalDocs:p Example:p XPreserveUnknownFields=x-kubernetes-preserve-unknown-fields:p
  XEmbeddedResource=x-kubernetes-embedded-resource:b XIntOrString=x-kubernetes-int-or-string:b
  XListMapKeys=x-kubernetes-list-map-keys:p XListType=x-kubernetes-list-type:p XMapType=x-kubernetes-map-type:p
  XValidations=x-kubernetes-validations:p`,
  {
    Items: orArray,
    AllOf: each((one) => toSchema(one)),
    OneOf: each((one) => toSchema(one)),
    AnyOf: each((one) => toSchema(one)),
    Not: (one) => toSchema(one),
    Properties: eachValue((one) => toSchema(one)),
    PatternProperties: eachValue((one) => toSchema(one)),
    Definitions: eachValue((one) => toSchema(one)),
    Dependencies: eachValue(orStrings),
    AdditionalProperties: orBool,
    AdditionalItems: orBool,
    ExternalDocs: toStruct(() => fieldsOf('Description:s URL=url:s')),
    XValidations: each(toRule),
  },
);

const toSchema = toStruct(() => SCHEMA_FIELDS);

const toSubresources = toStruct(() =>
  fieldsOf('Status:p Scale:p', {
    Status: () => ({}),
    Scale: toStruct(() => fieldsOf('SpecReplicasPath:s StatusReplicasPath:s LabelSelectorPath:p')),
  }),
);

const toVersion = toStruct(() =>
  fieldsOf(
    `Name:s Served:b Storage:b Deprecated:b DeprecationWarning:p Schema:p Subresources:p
    AdditionalPrinterColumns:p SelectableFields:p`,
    {
      Schema: toStruct(() =>
        fieldsOf('OpenAPIV3Schema=openAPIV3Schema:p', { OpenAPIV3Schema: toSchema }),
      ),
      Subresources: toSubresources,
      AdditionalPrinterColumns: each(
        toStruct(() =>
          fieldsOf('Name:s Type:s Format:s Description:s Priority:n JSONPath=jsonPath:s'),
        ),
      ),
      SelectableFields: each(toStruct(() => fieldsOf('JSONPath=jsonPath:s'))),
    },
  ),
);

/** The keywords of a schema that are set, by the names of Go's fields and in their order. */
export const setKeywords = (schema: JSONSchemaProps): string[] =>
  SCHEMA_FIELDS.filter(({ from, zero }) => {
    const value = (schema as Plain)[from];
    return value !== undefined && value !== null && value !== zero;
  }).map(({ name }) => name);

/**
 * Values in messages are of upstream's internal types, which JSON prints by the names of Go's fields
 * (apiextensions-apiserver pkg/apis/apiextensions/types_jsonschema.go, types.go).
 */
export const internalForm = { schema: toSchema, rule: toRule, version: toVersion } as const;
