import { cloneJson } from '@orrery/registry';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf } from './structural-schema.js';

/** A null where the schema allows none but has a default gives way to that default. */
const isUnset = (value: unknown, schema: StructuralSchema): boolean =>
  value === undefined ||
  (value === null && schema.nullable !== true && schema.default !== undefined);

/** Fills absent fields by the defaults of the schema (apiextensions structural/defaulting). Mutates. */
export function applyDefaults(value: unknown, schema: StructuralSchema): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(item, schema.items);
    return;
  }
  if (!isJsonObject(value)) return;
  const { properties = {}, additionalProperties } = schema;
  for (const [key, member] of Object.entries(properties)) {
    if (isUnset(value[key], member)) {
      if (member.default === undefined) continue;
      value[key] = cloneJson(member.default);
    }
    applyDefaults(value[key], member);
  }
  if (typeof additionalProperties === 'object')
    for (const key of Object.keys(value))
      if (!Object.hasOwn(properties, key)) applyDefaults(value[key], additionalProperties);
}

/**
 * Removes nulls of fields that are not nullable and have no default
 * (apiextensions structural/defaulting:PruneNonNullableNullsWithoutDefaults). Mutates.
 */
export function dropNulls(value: unknown, schema: StructuralSchema): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (const item of value) dropNulls(item, items);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const key of Object.keys(value)) {
    const known = memberOf(schema.properties, key);
    const { additionalProperties } = schema;
    const below =
      known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (!below) continue;
    const isStray = value[key] === null && below.nullable !== true;
    if (isStray && (!known || known.default === undefined)) delete value[key];
    else dropNulls(value[key], below);
  }
}
