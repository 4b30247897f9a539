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
