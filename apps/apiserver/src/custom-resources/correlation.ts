import { equalJson } from '@orrery/registry';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject } from './structural-schema.js';

/** The composite key of an element of a list of type map; undefined when it has none. */
export function listKeyOf(item: unknown, keys: readonly string[]): string | undefined {
  if (!isJsonObject(item)) return undefined;
  const values = keys.map((key) => (Object.hasOwn(item, key) ? item[key] : undefined));
  const isScalar = values.every(
    (value) => value !== undefined && value !== null && typeof value !== 'object',
  );
  return isScalar ? JSON.stringify(values) : undefined;
}

/** The member of the old object that stands for the same field; undefined when there is none. */
export function oldMember(old: unknown, key: string): unknown {
  return isJsonObject(old) && Object.hasOwn(old, key) ? old[key] : undefined;
}

/** Finds old elements: only those of lists of type map can be told apart. */
export function oldElements(old: unknown, schema: StructuralSchema): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || !keys)
    return () => undefined;
  let byKey: Map<string, unknown> | undefined;
  return (item) => {
    const key = listKeyOf(item, keys);
    if (key === undefined) return undefined;
    if (!byKey) {
      byKey = new Map();
      for (const one of old as unknown[]) {
        const known = listKeyOf(one, keys);
        if (known !== undefined && !byKey.has(known)) byKey.set(known, one);
      }
    }
    return byKey.get(key);
  };
}

/** True when the old value is there and the same: what was wrong with it then may stay wrong (KEP-4008). */
export const isUnchanged = (value: unknown, old: unknown): boolean =>
  old !== undefined && equalJson(value, old);
