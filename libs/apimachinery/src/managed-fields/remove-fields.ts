import { isPlainObject } from '../patch/merge-patch.js';
import { setOwn } from '../schema/normalize.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { extractFields } from './compare-fields.js';
import { fieldSet, intersectFields, isEmptySet, subtractFields, unionFields } from './field-set.js';
import type { Steps } from '../steps.js';
import type { FieldSet } from './field-set.js';
import { elementKey, shapeOf } from './typed-node.js';

/** The set with the structs on the way to its members (structured-merge-diff fieldpath/set.go:EnsureNamedFieldsAreMembers). */
function withStructs(
  set: FieldSet,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): FieldSet {
  const { properties = {} } = schema ?? {};
  const children = [...set.children].map(([key, child]): [string, FieldSet] => {
    const name = key.startsWith('f:') ? key.slice(2) : undefined;
    const below = name === undefined ? registry.deref(schema?.items) : registry.field(schema, name);
    const { owned, children: rest } = withStructs(child, below, registry);
    const isStructField = name !== undefined && Object.hasOwn(properties, name);
    return [key, { owned: owned || isStructField, children: rest }];
  });
  return fieldSet(set.owned, children);
}

/**
 * The value without the members of `gone` and all below them; undefined when nothing is left, of which the one above keeps null
 * (structured-merge-diff v6 typed/remove.go:doMap, doList).
 */
export function removeFields(
  value: unknown,
  gone: FieldSet,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): unknown {
  if (gone.children.size === 0) return value;
  const shape = shapeOf(value, schema);
  const rest = (key: string, child: unknown, below: Schema | undefined): unknown => {
    const found = gone.children.get(key);
    if (!found) return child;
    return found.owned ? undefined : (removeFields(child, found, below, registry) ?? null);
  };
  if (shape === 'fields' && isPlainObject(value)) {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const left = rest(`f:${name}`, value[name], registry.field(schema, name));
      if (left !== undefined) setOwn(result, name, left);
    }
    return Object.keys(result).length > 0 ? result : undefined;
  }
  if ((shape === 'set' || shape === 'keyed') && Array.isArray(value)) {
    const items = registry.deref(schema?.items);
    const result = (value as unknown[])
      .map((item) => rest(elementKey(item, shape, schema, registry), item, items))
      .filter((item) => item !== undefined);
    return result.length > 0 ? result : undefined;
  }
  return value;
}

export interface Pruning {
  /** What the manager owned when it applied last. */
  readonly last: FieldSet;
  /** What the managers own now, the one that applies among them. */
  readonly kept: FieldSet;
}

/**
 * Takes out what the manager applied before, applies no longer and nobody else owns
 * (structured-merge-diff merge/update.go:prune with addBackOwnedItems and addBackDanglingItems).
 */
export function* pruneSteps(
  merged: unknown,
  owners: Pruning,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Steps<unknown> {
  const full = (set: FieldSet): FieldSet => withStructs(set, schema, registry);
  const named = (value: unknown): FieldSet => full(extractFields(value, schema, registry));
  const without = (gone: FieldSet): unknown => removeFields(merged, gone, schema, registry);
  // Nothing is taken away where all of it is kept; the structs on the way are kept with what is in them.
  if (isEmptySet(subtractFields(owners.last, owners.kept))) return merged;
  const [last, kept] = [full(owners.last), full(owners.kept)];
  if (isEmptySet(subtractFields(last, kept))) return merged;
  yield;
  const all = named(merged);
  yield;
  const unclaimed = named(without(last));
  yield;
  const claimed = named(without(subtractFields(all, unionFields(unclaimed, kept))));
  yield;
  return without(intersectFields(subtractFields(all, claimed), last));
}
