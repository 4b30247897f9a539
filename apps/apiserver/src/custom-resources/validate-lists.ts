import type { FieldError } from '@orrery/apimachinery';
import { canonicalJson } from '@orrery/apimachinery';
import { fieldError, invalidValue } from './findings.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf } from './structural-schema.js';

/** The keys of an element that it has, in the order in which Go prints a map; an element may be null. */
function keysOf(item: unknown, names: readonly string[]): Json {
  if (!isJsonObject(item)) return {};
  const known = names.filter((name) => Object.hasOwn(item, name)).sort();
  return Object.fromEntries(known.map((name) => [name, item[name]]));
}

/** Each value that was there before, where it is seen for the second time. */
function duplicatesOf(values: readonly unknown[], path: string): FieldError[] {
  const seen = new Map<string, number>();
  return values.flatMap((value, i) => {
    const id = canonicalJson(value);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return times === 2
      ? [
          fieldError(
            'FieldValueDuplicate',
            `${path}[${i}]`,
            `Duplicate value: ${JSON.stringify(value)}`,
          ),
        ]
      : [];
  });
}

function validateMap(
  values: readonly unknown[],
  names: readonly string[],
  path: string,
): FieldError[] {
  const odd = values.findIndex((value) => value !== null && !isJsonObject(value));
  if (odd < 0)
    return duplicatesOf(
      values.map((value) => keysOf(value, names)),
      path,
    );
  const detail = 'must be an object for an array of list-type map';
  return [invalidValue(`${path}[${odd}]`, values[odd], detail)];
}

function validateArray(
  values: readonly unknown[],
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  const { items } = schema;
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  const type = schema['x-kubernetes-list-type'];
  return [
    ...(type === 'set' ? duplicatesOf(values, path) : []),
    ...(type === 'map' ? validateMap(values, names, path) : []),
    ...(items ? values.flatMap((one, i) => validateListTypes(one, items, `${path}[${i}]`)) : []),
  ];
}

/** Elements of sets and keys of maps must be unique (apiextensions-apiserver schema/listtype:ValidateListSetsAndMaps). */
export function validateListTypes(
  value: unknown,
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  if (Array.isArray(value)) return validateArray(value as unknown[], schema, path);
  if (!isJsonObject(value)) return [];
  const { additionalProperties } = schema;
  return Object.entries(value).flatMap(([key, member]) => {
    const named = memberOf(schema.properties, key);
    if (named) return validateListTypes(member, named, path === '' ? key : `${path}.${key}`);
    return typeof additionalProperties === 'object'
      ? validateListTypes(member, additionalProperties, `${path}[${key}]`)
      : [];
  });
}
