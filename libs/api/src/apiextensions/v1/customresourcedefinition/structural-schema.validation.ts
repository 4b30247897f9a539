import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, required } from '@orrery/apimachinery';
import { regexProblem } from '@orrery/cel';
import type { JSONSchemaProps } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { isPlainField, isSchema } from './schema-keywords.validation.js';

type Level = 'root' | 'item' | 'field';

/** Deep enough for any real schema; what is nested deeper is refused. */
const MAX_DEPTH = 100;

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function isIntOrString(schemas: readonly JSONSchemaProps[]): boolean {
  const plain = (schema: JSONSchemaProps | undefined, type: string): boolean =>
    schema?.type === type && Object.keys(schema).length === 1;
  const [first, second] = schemas;
  return schemas.length === 2 && plain(first, 'integer') && plain(second, 'string');
}

function validateType(schema: JSONSchemaProps, level: Level, path: FieldPath): FieldError[] {
  const { type } = schema;
  const at = path.child('type');
  const embedded = 'must be object if x-kubernetes-embedded-resource is true';
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object')
    return [type ? invalid(at, type, embedded) : required(at, embedded)];
  const isFree =
    schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (!type && !isFree) return [required(at, EMPTY_TYPE[level])];
  return level === 'root' && type && type !== 'object'
    ? [invalid(at, type, 'must be object at the root')]
    : [];
}

function validateExtensions(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const exclusive = 'must be false if x-kubernetes-int-or-string is true';
  const isOpen = schema['x-kubernetes-int-or-string'] === true;
  const noProperties = entries(schema.properties).length === 0;
  return [
    ...(isOpen && preserves
      ? [invalid(path.child('x-kubernetes-preserve-unknown-fields'), true, exclusive)]
      : []),
    ...(isOpen && embedded
      ? [invalid(path.child('x-kubernetes-embedded-resource'), true, exclusive)]
      : []),
    ...(embedded && schema.additionalProperties !== undefined
      ? [
          forbidden(
            path.child('additionalProperties'),
            'must not be used if x-kubernetes-embedded-resource is set',
          ),
        ]
      : []),
    ...(embedded && !preserves && noProperties
      ? [
          required(
            path.child('properties'),
            'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
          ),
        ]
      : []),
  ];
}

/** Type and metadata of resources are the server's; a schema may only restrict names. */
function validateMeta(schema: JSONSchemaProps, level: Level, path: FieldPath): FieldError[] {
  if (level !== 'root' && !schema['x-kubernetes-embedded-resource']) return [];
  const at = (name: string): FieldPath => path.child('properties').key(name);
  const { properties = {} } = schema;
  const found = ['kind', 'apiVersion'].flatMap((name) => {
    const type = properties[name]?.type;
    const isWrong = properties[name] !== undefined && type !== 'string';
    return isWrong ? [invalid(at(name).child('type'), type ?? '', 'must be string')] : [];
  });
  const metadata = properties['metadata'];
  if (!metadata) return found;
  const { type, default: _default, properties: members, ...rest } = metadata;
  const isPlain =
    Object.values(rest).every((value) => value === undefined || value === false || value === '') &&
    entries(members).every(([name]) => name === 'name' || name === 'generateName');
  return [
    ...found,
    ...(type === 'object'
      ? []
      : [invalid(at('metadata').child('type'), type ?? '', 'must be object')]),
    ...(isPlain || level !== 'root'
      ? []
      : [
          forbidden(
            at('metadata'),
            'must not specify anything other than name and generateName, but metadata is implicitly specified',
          ),
        ]),
  ];
}

/** Keywords that must not be below a restriction, with what they must be. */
const FORBIDDEN: readonly (readonly [name: string, wanted: string])[] = [
  ['type', 'must be empty'],
  ['default', 'must be undefined'],
  ['title', 'must be empty'],
  ['description', 'must be empty'],
  ['nullable', 'must be false'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false'],
  ['x-kubernetes-embedded-resource', 'must be false'],
  ['x-kubernetes-int-or-string', 'must be false'],
  ['x-kubernetes-list-map-keys', 'must be empty'],
  ['x-kubernetes-list-type', 'must be undefined'],
  ['x-kubernetes-map-type', 'must be undefined'],
  ['x-kubernetes-validations', 'must be empty'],
];

/** False of what counts as not set: the zeros of all but the keywords that may be there and empty. */
function isSet(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  const isPointer = name === 'default' || name.endsWith('-type');
  return isPointer || (value !== false && value !== '');
}

/** Below allOf, anyOf, oneOf and not only values are restricted. */
function validateNested(
  schema: JSONSchemaProps,
  path: FieldPath,
  { skipAnyOf = false, depth }: { readonly skipAnyOf?: boolean; readonly depth: number },
): FieldError[] {
  if (depth > MAX_DEPTH) return [forbidden(path, 'is nested too deeply')];
  const below = { depth: depth + 1 };
  const { items, additionalProperties } = schema;
  return [
    ...validateValues(schema, path, { skipAnyOf, depth }),
    ...(isSchema(items) ? validateNested(items, path.child('items'), below) : []),
    ...entries(schema.properties).flatMap(([name, member]) =>
      isSchema(member) ? validateNested(member, path.child('properties').key(name), below) : [],
    ),
    ...FORBIDDEN.filter(([name]) => isSet(name, (schema as Record<string, unknown>)[name])).map(
      ([name, wanted]) => forbidden(path.child(name), `${wanted} to be structural`),
    ),
    ...(isSet('additionalProperties', additionalProperties)
      ? [forbidden(path.child('additionalProperties'), 'must be undefined to be structural')]
      : []),
    ...(schema.properties?.['metadata'] === undefined
      ? []
      : [
          forbidden(
            path.child('properties').key('metadata'),
            'must not be specified in a nested context',
          ),
        ]),
  ];
}

function validateValues(
  schema: JSONSchemaProps,
  path: FieldPath,
  { skipAnyOf = false, depth }: { readonly skipAnyOf?: boolean; readonly depth: number },
): FieldError[] {
  const below = { depth: depth + 1 };
  const all = (name: 'anyOf' | 'oneOf', skip: boolean): FieldError[] =>
    skip
      ? []
      : list(schema[name]).flatMap((one, i) =>
          validateNested(one, path.child(name).index(i), below),
        );
  const { pattern, not } = schema;
  const problem = pattern ? regexProblem(pattern) : undefined;
  return [
    ...all('anyOf', skipAnyOf),
    ...list(schema.allOf).flatMap((one, i) =>
      validateNested(one, path.child('allOf').index(i), {
        ...below,
        skipAnyOf: i === 0 && isIntOrString(list(one.anyOf)),
      }),
    ),
    ...all('oneOf', false),
    ...(isSchema(not) ? validateNested(not, path.child('not'), below) : []),
    ...(problem === undefined
      ? []
      : [
          invalid(
            path.child('pattern'),
            pattern,
            `must be a valid regular expression, but isn't: ${problem}`,
          ),
        ]),
  ];
}

/** Fields that values are restricted in must be declared outside of the restrictions too. */
function validateCompleteness(
  nested: JSONSchemaProps,
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
  at: FieldPath,
): FieldError[] {
  const because = `because it is defined in ${String(at)}`;
  const { items } = nested;
  const own = schema?.items;
  return [
    ...(isSchema(items)
      ? isSchema(own)
        ? validateCompleteness(items, own, path.child('items'), at.child('items'))
        : [required(path.child('items'), because)]
      : []),
    ...entries(nested.properties).flatMap(([name, member]) => {
      const declared = schema?.properties?.[name];
      const place = path.child('properties').key(name);
      const where = at.child('properties').key(name);
      if (!isSchema(member)) return [];
      if (!declared) return [required(place, `because it is defined in ${String(where)}`)];
      return validateCompleteness(member, declared, place, where);
    }),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
      list(nested[name]).flatMap((one, i) =>
        validateCompleteness(one, schema, path, at.child(name).index(i)),
      ),
    ),
    ...(isSchema(nested.not)
      ? validateCompleteness(nested.not, schema, path, at.child('not'))
      : []),
  ];
}

function completenessOf(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { not } = schema;
  return [
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
      list(schema[name]).flatMap((one, i) =>
        validateCompleteness(one, schema, path, path.child(name).index(i)),
      ),
    ),
    ...(isSchema(not) ? validateCompleteness(not, schema, path, path.child('not')) : []),
  ];
}

function validateNode(
  schema: JSONSchemaProps,
  path: FieldPath,
  level: Level,
  depth: number,
): FieldError[] {
  if (depth > MAX_DEPTH) return [forbidden(path, 'is nested too deeply')];
  const { properties, items, additionalProperties } = schema;
  const skipAnyOf = isIntOrString(list(schema.anyOf));
  return [
    ...(schema.type === 'array' && !items
      ? [required(path.child('items'), 'must be specified')]
      : []),
    ...(isSchema(items) ? validateNode(items, path.child('items'), 'item', depth + 1) : []),
    ...entries(properties).flatMap(([name, child]) =>
      isSchema(child) && !isPlainField(child)
        ? validateNode(child, path.child('properties').key(name), 'field', depth + 1)
        : [],
    ),
    ...(additionalProperties !== undefined && level === 'root'
      ? [forbidden(path.child('additionalProperties'), 'must not be used at the root')]
      : []),
    ...(isSchema(additionalProperties)
      ? validateNode(additionalProperties, path.child('additionalProperties'), 'field', depth + 1)
      : []),
    ...validateExtensions(schema, path),
    ...validateValues(schema, path, { skipAnyOf, depth }),
    ...validateType(schema, level, path),
    ...validateMeta(schema, level, path),
    ...completenessOf(schema, path),
  ];
}

const UNSUPPORTED = [
  'id',
  '$schema',
  '$ref',
  'patternProperties',
  'dependencies',
  'additionalItems',
  'definitions',
] as const;

/** True of a schema that has what structural schemas cannot say: what else is wrong with it nobody asks. */
export function isBeyondStructure(schema: JSONSchemaProps, depth = 0): boolean {
  if (isPlainField(schema)) return false;
  const { items, not, properties, additionalProperties } = schema;
  const isOdd = UNSUPPORTED.some((name) => {
    const value = (schema as Record<string, unknown>)[name];
    if (name === 'additionalItems') return value !== undefined;
    return isSchema(value) ? Object.keys(value).length > 0 : isSet(name, value);
  });
  const isClosed = schema['x-kubernetes-preserve-unknown-fields'] === false;
  if (isOdd || isClosed || Array.isArray(items)) return true;
  const nested = [
    items,
    not,
    additionalProperties,
    ...Object.values(properties ?? {}),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) => list(schema[name])),
  ];
  return (
    depth < MAX_DEPTH && nested.some((one) => isSchema(one) && isBeyondStructure(one, depth + 1))
  );
}

/** The rules of a structural schema (k8s apiextensions-apiserver pkg/apiserver/schema/validation.go:ValidateStructural). */
export function validateStructuralSchema(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  if (isBeyondStructure(schema)) return [];
  const found = validateNode(schema, path, 'root', 0);
  return found.sort((a, b) => (`${a.field}: ${a.message}` < `${b.field}: ${b.message}` ? -1 : 1));
}
