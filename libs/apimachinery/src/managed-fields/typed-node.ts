import { canonicalJson } from '../equality.js';
import { isPlainObject, own } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';

/** How the fields below a value are owned: as one, by field name, or by list element. */
export type Shape = 'atomic' | 'fields' | 'set' | 'keyed';

export interface Child {
  readonly value: unknown;
  readonly schema: Schema | undefined;
  /** A field of a struct rather than an entry of a map or list. */
  readonly isStructField: boolean;
  /** Go's struct has the field even when nobody set it. */
  readonly alwaysThere: boolean;
}

/** The shape of a value under its schema (structured-merge-diff's atom kinds). */
export function shapeOf(value: unknown, schema: Schema | undefined): Shape {
  if (Array.isArray(value)) {
    const type = schema?.['x-kubernetes-list-type'];
    if (type === 'set') return 'set';
    return type === 'map' && keysOf(schema).length > 0 ? 'keyed' : 'atomic';
  }
  if (!isPlainObject(value) || schema?.['x-kubernetes-map-type'] === 'atomic') return 'atomic';
  return 'fields';
}

const keysOf = (schema: Schema | undefined): readonly string[] =>
  schema?.['x-kubernetes-list-map-keys'] ?? [];

/** The path element of a list entry; absent keys take their defaults. */
export function elementKey(
  item: unknown,
  shape: 'set' | 'keyed',
  schema: Schema | undefined,
  registry: SchemaRegistry,
): string {
  if (shape === 'set') return `v:${canonicalJson(item)}`;
  const keys: Record<string, unknown> = {};
  for (const name of keysOf(schema)) {
    const given = isPlainObject(item) ? own(item, name) : undefined;
    const value = given ?? registry.field(schema?.items, name)?.default;
    if (value !== undefined) keys[name] = value;
  }
  return `k:${canonicalJson(keys)}`;
}

/** The children of a value by path element; empty for atomic values. */
export function childrenOf(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Map<string, Child> {
  const shape = shapeOf(value, schema);
  if (shape === 'fields' && isPlainObject(value)) return fieldChildren(value, schema, registry);
  const children = new Map<string, Child>();
  if ((shape === 'set' || shape === 'keyed') && Array.isArray(value)) {
    const items = registry.deref(schema?.items);
    for (const item of value as unknown[]) {
      const key = elementKey(item, shape, schema, registry);
      children.set(key, { value: item, schema: items, isStructField: false, alwaysThere: false });
    }
  }
  return children;
}

function fieldChildren(
  value: Readonly<Record<string, unknown>>,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Map<string, Child> {
  const children = new Map<string, Child>();
  const { properties = {}, required = [] } = schema ?? {};
  for (const name of Object.keys(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    children.set(`f:${name}`, {
      value: value[name],
      schema: registry.field(schema, name),
      isStructField: declared !== undefined,
      alwaysThere: declared?.default !== undefined || required.includes(name),
    });
  }
  return children;
}
