import type { FieldError } from '@orrery/apimachinery';
import { canonicalJson } from '@orrery/apimachinery';
import { listKeyOf } from './correlation.js';
import { fieldError } from './findings.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberSchema } from './structural-schema.js';

/** Key values of a list of type map as Go prints a map: sorted names. */
const printKeys = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(
    Object.fromEntries(
      [...keys].sort().map((key) => [key, (item as Record<string, unknown>)[key]]),
    ),
  );

function duplicatesOf(
  values: readonly unknown[],
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  const seen = new Set<string>();
  return values.flatMap((value, i) => {
    const id = isMap ? listKeyOf(value, keys) : canonicalJson(value);
    if (id === undefined) return [];
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    const printed = isMap ? printKeys(value, keys) : JSON.stringify(value);
    return [fieldError('FieldValueDuplicate', `${path}[${i}]`, `Duplicate value: ${printed}`)];
  });
}

/** Elements of sets and keys of maps must be unique (apiextensions-apiserver schema/listtype:ValidateListSetsAndMaps). */
export function validateListTypes(
  value: unknown,
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const type = schema['x-kubernetes-list-type'];
    const isKeyed = type === 'set' || type === 'map';
    const elements = value as unknown[];
    return [
      ...(isKeyed ? duplicatesOf(elements, schema, path) : []),
      ...(items
        ? elements.flatMap((one, i) => validateListTypes(one, items, `${path}[${i}]`))
        : []),
    ];
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const below = memberSchema(schema, key);
    const isNamed = Object.hasOwn(schema.properties ?? {}, key);
    const at = isNamed ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`;
    return below ? validateListTypes(member, below, at) : [];
  });
}
