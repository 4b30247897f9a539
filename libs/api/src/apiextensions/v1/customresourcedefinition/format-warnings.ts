import type { CustomResourceDefinition, JSONSchemaProps } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { MAX_DEPTH, isPlainField, isSchema } from './schema-keywords.validation.js';

/** Formats of texts that are checked, without their dashes (apiextensions-apiserver pkg/apiserver/validation/formats.go). */
const OF_TEXTS = new Set(
  (
    'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn ' +
    'hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname'
  ).split(' '),
);
const OF_NUMBERS: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

function isKnown({ type = '', format = '' }: JSONSchemaProps): boolean {
  if (type === '' || type === 'string') return OF_TEXTS.has(format.replaceAll('-', ''));
  return Object.hasOwn(OF_NUMBERS, type) && (OF_NUMBERS[type]?.includes(format) ?? false);
}

/** In the order in which upstream walks (pkg/apis/apiextensions/validation/validation.go:SchemaHas). */
function* unknownFormats(schema: unknown, depth = 0): Generator<string> {
  if (!isSchema(schema) || depth > MAX_DEPTH || isPlainField(schema)) return;
  if (schema.format && !isKnown(schema)) yield schema.format;
  const { items, allOf, anyOf, oneOf, not, properties, additionalProperties } = schema;
  const below = [
    items,
    ...[allOf, anyOf, oneOf].flatMap((one) => [...list(one)]),
    not,
    ...Object.values(properties ?? {}),
    additionalProperties,
  ];
  for (const one of below)
    if (isSchema(one) && !isPlainField(one)) yield* unknownFormats(one, depth + 1);
}

/** Of versions that agree the schema is walked once: upstream has it once. */
function formatsOf({ spec }: CustomResourceDefinition): string[] {
  const schemas = list(spec?.versions).map(({ schema }) => schema?.openAPIV3Schema);
  const isOne =
    schemas.length === 1 || new Set(schemas.map((one) => JSON.stringify(one))).size === 1;
  return (isOne ? schemas.slice(0, 1) : schemas).flatMap((schema) => [...unknownFormats(schema)]);
}

/** Formats that nobody will check, as far as they are new (…/customresourcedefinition/strategy.go:WarningsOnUpdate). */
export function formatWarnings(
  crd: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): string[] {
  const known = new Set(old ? formatsOf(old) : []);
  return formatsOf(crd)
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}
