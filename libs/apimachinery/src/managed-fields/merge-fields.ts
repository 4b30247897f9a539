import { setOwn } from '../schema/normalize.js';
import { isPlainObject, own } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { emptyFields, isEmptySet } from './field-set.js';
import type { FieldSet } from './field-set.js';
import { elementKey, shapeOf } from './typed-node.js';

/** Lays an applied configuration over the live value; lists merge by element where the schema says so. */
export function mergeFields(
  live: unknown,
  applied: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): unknown {
  const shape = shapeOf(applied, schema);
  if (live === undefined || live === null || shape === 'atomic') return structuredClone(applied);
  if (shape === 'fields') {
    if (!isPlainObject(live) || !isPlainObject(applied)) return structuredClone(applied);
    const result = { ...live };
    for (const key of Object.keys(applied)) {
      const field = registry.field(schema, key);
      setOwn(result, key, mergeFields(own(live, key), applied[key], field, registry));
    }
    return result;
  }
  if (!Array.isArray(live) || !Array.isArray(applied)) return structuredClone(applied);
  const items = registry.deref(schema?.items);
  const keyOf = (item: unknown): string => elementKey(item, shape, schema, registry);
  const merged = new Map<string, unknown>(live.map((item: unknown) => [keyOf(item), item]));
  for (const item of applied as unknown[]) {
    const key = keyOf(item);
    merged.set(key, mergeFields(merged.get(key), item, items, registry));
  }
  return [...merged.values()];
}

export interface Pruning {
  /** What the manager owned and no longer names. */
  readonly gone: FieldSet;
  /** What anyone owns now. */
  readonly kept: FieldSet;
}

/** Takes out fields that lost their last owner; undefined when nothing is left of the value. */
export function pruneFields(
  value: unknown,
  { gone, kept }: Pruning,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): unknown {
  if (gone.owned && isEmptySet(kept)) return undefined;
  if (gone.children.size === 0) return value;
  const below = (key: string): Pruning => ({
    gone: gone.children.get(key) ?? emptyFields,
    kept: kept.children.get(key) ?? emptyFields,
  });
  const shape = shapeOf(value, schema);
  if (shape === 'fields' && isPlainObject(value)) {
    const rest = pruneEach(value, (name) =>
      pruneFields(value[name], below(`f:${name}`), registry.field(schema, name), registry),
    );
    return Object.keys(rest).length > 0 || kept.owned ? rest : undefined;
  }
  if ((shape === 'set' || shape === 'keyed') && Array.isArray(value)) {
    const items = registry.deref(schema?.items);
    const rest = (value as unknown[])
      .map((item) =>
        pruneFields(item, below(elementKey(item, shape, schema, registry)), items, registry),
      )
      .filter((item) => item !== undefined);
    return rest.length > 0 || kept.owned ? rest : undefined;
  }
  return value;
}

function pruneEach(
  value: Readonly<Record<string, unknown>>,
  prune: (name: string) => unknown,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const rest = prune(name);
    if (rest !== undefined) setOwn(result, name, rest);
  }
  return result;
}
