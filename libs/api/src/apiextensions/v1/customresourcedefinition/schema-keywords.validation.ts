import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { JSONSchemaProps } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const META = new Set(['apiVersion', 'kind', 'metadata']);
/** Schemas are not looked at further below. */
export const MAX_DEPTH = 100;

export const isSchema = (value: unknown): value is JSONSchemaProps =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SCALARS = new Set(['boolean', 'integer', 'number', 'string']);
/** What a field of a simple type may say of itself without anybody asking why. */
const HARMLESS = new Set([
  'type',
  'description',
  'title',
  'example',
  'enum',
  'nullable',
  'maximum',
  'minimum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'multipleOf',
  'maxLength',
  'minLength',
]);

/**
 * A field of a simple type that holds nothing which could be wrong where it stands: what most fields are, of which a
 * definition may have tens of thousands.
 */
export function isPlainField(schema: JSONSchemaProps): boolean {
  for (const key of Object.keys(schema)) if (!HARMLESS.has(key)) return false;
  return SCALARS.has(schema.type ?? '');
}

/** Where a node is, as far as that decides what it may have. */
interface Place {
  readonly isRoot: boolean;
  readonly insideMeta: boolean;
  /** Why there must be no default; undefined = there may. */
  readonly noDefault: string | undefined;
  readonly depth: number;
}

const UNSUPPORTED = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
] as const;

function validateUnsupported(
  schema: JSONSchemaProps,
  path: FieldPath,
  { noDefault, insideMeta }: Place,
): FieldError[] {
  const { type } = schema;
  const isSet = (value: unknown): boolean =>
    value !== undefined && value !== '' && (!isSchema(value) || Object.keys(value).length > 0);
  return [
    ...(type && !TYPES.includes(type) && type !== 'null'
      ? [notSupported(path.child('type'), type, TYPES)]
      : []),
    ...(type === 'null'
      ? [
          notSupported(path.child('type'), type, TYPES),
          forbidden(
            path.child('type'),
            'type cannot be set to null, use nullable as an alternative',
          ),
        ]
      : []),
    ...(schema.default !== undefined && noDefault !== undefined
      ? [forbidden(path.child('default'), `must not be set ${noDefault}`)]
      : []),
    ...UNSUPPORTED.flatMap((name) =>
      isSet((schema as Record<string, unknown>)[name])
        ? [forbidden(path.child(name), `${name} is not supported`)]
        : [],
    ),
    ...(Array.isArray(schema.items)
      ? [forbidden(path.child('items'), 'items must be a schema object and not an array')]
      : []),
    ...(insideMeta && schema['x-kubernetes-embedded-resource']
      ? [
          forbidden(
            path.child('x-kubernetes-embedded-resource'),
            'must not be used inside of resource meta',
          ),
        ]
      : []),
    ...(schema.uniqueItems
      ? [
          forbidden(
            path.child('uniqueItems'),
            'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
          ),
        ]
      : []),
  ];
}

function validateMapType(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { type } = schema;
  const mapType = schema['x-kubernetes-map-type'];
  const isGiven = mapType !== undefined && mapType !== null;
  const { properties, additionalProperties } = schema;
  const detail = 'must be object if x-kubernetes-map-type is specified';
  const at = path.child('type');
  const closes = additionalProperties !== undefined && (additionalProperties as unknown) !== true;
  return [
    ...(closes && entries(properties).length > 0
      ? [
          forbidden(
            path.child('additionalProperties'),
            'additionalProperties and properties are mutual exclusive',
          ),
        ]
      : []),
    ...(schema['x-kubernetes-preserve-unknown-fields'] === false
      ? [
          invalid(
            path.child('x-kubernetes-preserve-unknown-fields'),
            false,
            'must be true or undefined',
          ),
        ]
      : []),
    ...(isGiven && type !== 'object'
      ? [type ? invalid(at, type, detail) : required(at, detail)]
      : []),
    ...(isGiven && mapType !== 'atomic' && mapType !== 'granular'
      ? [notSupported(path.child('x-kubernetes-map-type'), mapType, ['atomic', 'granular'])]
      : []),
  ];
}

function validateListType(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { type } = schema;
  const listType = schema['x-kubernetes-list-type'];
  const isGiven = listType !== undefined && listType !== null;
  const at = path.child('x-kubernetes-list-type');
  const detail = 'must be array if x-kubernetes-list-type is specified';
  const keyed = 'must be map if x-kubernetes-list-map-keys is non-empty';
  const hasKeys = list(schema['x-kubernetes-list-map-keys']).length > 0;
  return [
    ...(isGiven && type !== 'array'
      ? [type ? invalid(path.child('type'), type, detail) : required(path.child('type'), detail)]
      : validateSetItems(schema, path)),
    ...(isGiven && !['atomic', 'set', 'map'].includes(listType)
      ? [notSupported(at, listType, ['atomic', 'set', 'map'], 'as given')]
      : []),
    ...(hasKeys && !isGiven ? [required(at, keyed)] : []),
    ...(hasKeys && isGiven && listType !== 'map' ? [invalid(at, listType, keyed)] : []),
    ...(listType === 'map' ? validateListMap(schema, path) : []),
  ];
}

/** Elements of sets are compared as wholes. */
function validateSetItems(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { items } = schema;
  if (schema['x-kubernetes-list-type'] !== 'set' || !isSchema(items)) return [];
  const at = path.child('items');
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  const nullable = items.nullable
    ? [forbidden(at.child('nullable'), 'cannot be nullable when x-kubernetes-list-type is set')]
    : [];
  if (items.type === 'array' && listType && listType !== 'atomic')
    return [invalid(at.child('x-kubernetes-list-type'), listType, detail), ...nullable];
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    return [invalid(at.child('x-kubernetes-map-type'), listType ?? null, detail), ...nullable];
  return nullable;
}

function validateListMap(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const keys = list(schema['x-kubernetes-list-map-keys']);
  const { items } = schema;
  const at = path.child('x-kubernetes-list-map-keys');
  const empty =
    keys.length === 0 ? [required(at, 'must not be empty if x-kubernetes-list-type is map')] : [];
  if (items === undefined) {
    const detail = 'must have a schema if x-kubernetes-list-type is map';
    return [...empty, required(path.child('items'), detail)];
  }
  if (!isSchema(items)) {
    const printed = { Schema: null, JSONSchemas: items };
    const detail = 'must only have a single schema if x-kubernetes-list-type is map';
    return [...empty, invalid(path.child('items'), printed, detail)];
  }
  const below = path.child('items');
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...empty, invalid(below.child('type'), items.type ?? '', detail)];
  }
  return [
    ...empty,
    ...keys.flatMap((key, i) => [
      ...validateListKey(items, key, schema, path),
      ...(keys.indexOf(key) < i ? [invalid(at, keys, 'must not contain duplicate entries')] : []),
    ]),
    ...(items.nullable
      ? [
          forbidden(
            below.child('nullable'),
            'cannot be nullable when x-kubernetes-list-type is map',
          ),
        ]
      : []),
  ];
}

function validateListKey(
  items: JSONSchemaProps,
  key: string,
  schema: JSONSchemaProps,
  path: FieldPath,
): FieldError[] {
  const property = items.properties?.[key];
  const at = path.child('items', 'properties').key(key);
  if (!property) {
    const keys = list(schema['x-kubernetes-list-map-keys']);
    return [
      invalid(
        path.child('x-kubernetes-list-map-keys'),
        keys,
        'entries must all be names of item properties',
      ),
    ];
  }
  const isScalar = property.type !== 'array' && property.type !== 'object';
  const isThere = list(items.required).includes(key) || property.default !== undefined;
  const because = 'this property is in x-kubernetes-list-map-keys, so it';
  return [
    ...(isScalar
      ? []
      : [
          invalid(
            at.child('type'),
            items.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        ]),
    ...(isThere
      ? []
      : [
          required(at.child('default'), `${because} must have a default or be a required property`),
        ]),
    ...(property.nullable
      ? [forbidden(at.child('nullable'), `${because} cannot be nullable`)]
      : []),
  ];
}

function placeOfProperty(schema: JSONSchemaProps, name: string, place: Place): Place {
  const isMeta = META.has(name) && (place.isRoot || schema['x-kubernetes-embedded-resource']);
  return {
    isRoot: false,
    insideMeta: place.insideMeta || isMeta === true,
    noDefault: place.isRoot && isMeta ? `in top-level ${name}` : place.noDefault,
    depth: place.depth + 1,
  };
}

function validateNode(schema: JSONSchemaProps, path: FieldPath, place: Place): FieldError[] {
  if (place.depth > MAX_DEPTH) return [];
  const { properties, items, additionalProperties, not } = schema;
  const below: Place = { ...place, isRoot: false, depth: place.depth + 1 };
  const ofMap: Place = place.insideMeta
    ? { ...below, noDefault: 'inside additionalProperties applying to object metadata' }
    : below;
  return [
    ...validateUnsupported(schema, path, place),
    ...validateMapType(schema, path),
    ...validateListType(schema, path),
    ...(isSchema(additionalProperties)
      ? validateNode(additionalProperties, path.child('additionalProperties'), ofMap)
      : []),
    ...entries(properties).flatMap(([name, member]) =>
      isSchema(member) && !isPlainField(member)
        ? validateNode(
            member,
            path.child('properties').key(name),
            placeOfProperty(schema, name, place),
          )
        : [],
    ),
    ...(isSchema(items) ? validateNode(items, path.child('items'), below) : []),
    ...(isSchema(not) ? validateNode(not, path.child('not'), below) : []),
    ...(['allOf', 'oneOf', 'anyOf'] as const).flatMap((name) =>
      list(schema[name]).flatMap((one, i) =>
        isSchema(one) ? validateNode(one, path.child(name).index(i), below) : [],
      ),
    ),
  ];
}

/** Keywords that are refused, and what lists and maps need (…/validation.go:ValidateCustomResourceDefinitionOpenAPISchema). */
export function validateKeywords(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  return [
    ...(schema.nullable
      ? [forbidden(path.child('nullable'), 'nullable cannot be true at the root')]
      : []),
    ...validateNode(schema, path, {
      isRoot: true,
      insideMeta: false,
      noDefault: undefined,
      depth: 0,
    }),
  ];
}
