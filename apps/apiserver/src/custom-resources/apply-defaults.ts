import { cloneJson } from '@orrery/registry';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject } from './structural-schema.js';

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
