import type { Schema } from '@orrery/apimachinery';
import { schemas } from '../negotiation/schemas.js';
import { invalidValue } from './findings.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf } from './structural-schema.js';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Gets the reason why a body cannot be taken; throws. */
type Refuse = (reason: string) => never;

const refusal = (path: string, value: unknown, detail: string): string => {
  const { field, message } = invalidValue(path, value, detail);
  return `${field}: ${message}`;
};

function coerceResource(object: Json, path: string, refuse: Refuse): string[] {
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const key of ['apiVersion', 'kind']) {
    const value = memberOf(object, key);
    const isText = typeof value === 'string' || !Object.hasOwn(object, key);
    if (!isText) refuse(refusal(at(key), value, 'must be a string'));
  }
  if (!Object.hasOwn(object, 'metadata')) return [];
  const given = object['metadata'];
  const meta = given ?? {};
  const { typeError, unknownFields } = schemas().checkFields(meta, OBJECT_META);
  if (typeError !== undefined) refuse(refusal(at('metadata'), given, typeError));
  const made = schemas().normalize(meta, OBJECT_META) as Json;
  if (made['creationTimestamp'] === null) delete made['creationTimestamp'];
  object['metadata'] = made;
  return unknownFields.map((name) => `${at('metadata')}.${name}`);
}

/**
 * Decodes the metadata of embedded resources as that of all others, and answers the paths of what it does not know
 * (apiextensions-apiserver pkg/apiserver/schema/objectmeta/algorithm.go:CoerceWithOptions). Mutates.
 */
export function coerceEmbedded(
  value: unknown,
  schema: StructuralSchema,
  path: string,
  refuse: Refuse,
): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return [];
    return value.flatMap((one: unknown, i) => coerceEmbedded(one, items, `${path}[${i}]`, refuse));
  }
  if (!isJsonObject(value)) return [];
  const isResource = schema['x-kubernetes-embedded-resource'] === true;
  const found = isResource ? coerceResource(value, path, refuse) : [];
  const { additionalProperties } = schema;
  for (const key of Object.keys(value)) {
    const member = value[key];
    // Nothing is embedded in a scalar, of which there may be tens of thousands.
    if (typeof member !== 'object' || member === null) continue;
    const named = memberOf(schema.properties, key);
    const at = path === '' ? key : `${path}.${key}`;
    if (named) found.push(...coerceEmbedded(member, named, at, refuse));
    else if (typeof additionalProperties === 'object')
      found.push(...coerceEmbedded(member, additionalProperties, `${path}[${key}]`, refuse));
  }
  return found;
}

/** What every object has, as the schema of a custom one need not say. */
export const OBJECT_FIELDS: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { $ref: `#/definitions/${OBJECT_META}` },
};

/**
 * The schema with the fields of objects where objects are embedded; itself where none is
 * (k8s apiextensions-apiserver pkg/controller/openapi/builder/builder.go:addEmbeddedProperties).
 */
export function withEmbeddedTypes(schema: Schema): Schema {
  const { items, additionalProperties, properties } = schema;
  const changed: { -readonly [K in keyof Schema]?: Schema[K] } = {};
  if (items) {
    const made = withEmbeddedTypes(items);
    if (made !== items) changed.items = made;
  }
  if (typeof additionalProperties === 'object') {
    const made = withEmbeddedTypes(additionalProperties);
    if (made !== additionalProperties) changed.additionalProperties = made;
  }
  const fields = properties && ofAll(properties);
  if (fields !== properties && fields) changed.properties = fields;
  if (schema['x-kubernetes-embedded-resource'])
    changed.properties = { ...fields, ...OBJECT_FIELDS };
  return Object.keys(changed).length === 0 ? schema : { ...schema, ...changed };
}

function ofAll(properties: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const entries = Object.entries(properties);
  const made = entries.map(([name, one]) => [name, withEmbeddedTypes(one)] as const);
  return made.some(([, one], i) => one !== entries[i]?.[1]) ? Object.fromEntries(made) : properties;
}
