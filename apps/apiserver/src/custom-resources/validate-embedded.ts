import type { FieldError, ObjectMeta } from '@orrery/apimachinery';
import {
  FieldPath,
  isDns1035Label,
  nameIsPathSegment,
  validateObjectMeta,
} from '@orrery/apimachinery';
import { schemas } from '../negotiation/schemas.js';
import { fieldError, invalidValue } from './findings.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf } from './structural-schema.js';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Why a text is no name of a kind or of a group's version. */
type TextRule = (text: string) => string | undefined;

const versionRule: TextRule = (text) =>
  text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined;

const kindRule: TextRule = (text) => {
  const found = isDns1035Label(text.toLowerCase());
  return found.length > 0
    ? `may have mixed case, but should otherwise match: ${found.join(',')}`
    : undefined;
};

function validateText(value: unknown, path: string, rule: TextRule): FieldError[] {
  if (value === undefined) return [fieldError('FieldValueRequired', path, 'Required value')];
  if (typeof value !== 'string') return [invalidValue(path, value, 'must be a string')];
  const problem = value === '' ? 'must not be empty' : rule(value);
  return problem === undefined ? [] : [invalidValue(path, value, problem)];
}

function validateMetadata(value: unknown, path: string): FieldError[] {
  const { typeError } = schemas().checkFields(value ?? {}, OBJECT_META);
  if (typeError !== undefined) return [invalidValue(path, value, typeError)];
  const meta = schemas().normalize((value ?? {}) as ObjectMeta, OBJECT_META);
  return validateObjectMeta(
    { ...meta, name: meta.name || 'fakename' },
    { namespaced: Boolean(meta.namespace), nameValidator: nameIsPathSegment },
    FieldPath.of(path),
  );
}

function validateResource(value: Record<string, unknown>, path: string): FieldError[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  return [
    ...validateText(memberOf(value, 'apiVersion'), at('apiVersion'), versionRule),
    ...validateText(memberOf(value, 'kind'), at('kind'), kindRule),
    ...(Object.hasOwn(value, 'metadata')
      ? validateMetadata(value['metadata'], at('metadata'))
      : []),
  ];
}

const known = new WeakMap<StructuralSchema, boolean>();

/** Whether a schema describes an embedded resource anywhere; most describe none, and their objects need not be gone through. */
function hasEmbedded(schema: StructuralSchema): boolean {
  let has = known.get(schema);
  if (has === undefined) {
    const { additionalProperties, items, properties = {} } = schema;
    const below = [...Object.values(properties), items, additionalProperties];
    has =
      schema['x-kubernetes-embedded-resource'] === true ||
      below.some((one) => typeof one === 'object' && hasEmbedded(one));
    known.set(schema, has);
  }
  return has;
}

/** Embedded resources must be objects with a type (apiextensions-apiserver schema/objectmeta:Validate). */
export function validateEmbedded(
  value: unknown,
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  if (!hasEmbedded(schema)) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return [];
    return (value as unknown[]).flatMap((one, i) => validateEmbedded(one, items, `${path}[${i}]`));
  }
  if (!isJsonObject(value)) return [];
  const own = schema['x-kubernetes-embedded-resource'] ? validateResource(value, path) : [];
  const { additionalProperties } = schema;
  const below = Object.entries(value).flatMap(([key, member]) => {
    const named = memberOf(schema.properties, key);
    if (named) return validateEmbedded(member, named, path === '' ? key : `${path}.${key}`);
    return typeof additionalProperties === 'object'
      ? validateEmbedded(member, additionalProperties, `${path}[${key}]`)
      : [];
  });
  return [...own, ...below];
}
