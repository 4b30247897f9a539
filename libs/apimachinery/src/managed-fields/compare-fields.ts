import { deepEqual } from '../equality.js';
import { isPlainObject } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { emptyFields, fieldSet, leafField } from './field-set.js';
import type { FieldSet } from './field-set.js';
import { childrenOf, shapeOf } from './typed-node.js';
import type { Child } from './typed-node.js';

const isEmptyValue = (value: unknown): boolean =>
  value === null || (isPlainObject(value) && Object.keys(value).length === 0);

/** The fields an applied configuration names (structured-merge-diff typed/tofieldset.go). */
export function extractFields(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): FieldSet {
  if (shapeOf(value, schema) === 'atomic') return leafField;
  const children: [string, FieldSet][] = [];
  for (const [key, child] of childrenOf(value, schema, registry)) {
    const below = extractFields(child.value, child.schema, registry);
    const owned = below.owned || isEmptyValue(child.value) || !child.isStructField;
    children.push([key, { owned, children: below.children }]);
  }
  return fieldSet(false, children);
}

export interface Comparison {
  /** Fields whose value is new or other than before. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const NOTHING: Comparison = { changed: emptyFields, removed: emptyFields };

/** What differs between two versions of an object, by the schema's shapes. */
export function compareFields(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Comparison {
  if (after === undefined && before === undefined) return NOTHING;
  const leaf = [before, after].every(
    (value) => value === undefined || shapeOf(value, schema) === 'atomic',
  );
  if (leaf) return compareLeaves(before, after);
  // Most of an object that is updated is as before.
  if (before !== undefined && deepEqual(before, after)) return NOTHING;
  const left = childrenOf(before, schema, registry);
  const right = childrenOf(after, schema, registry);
  const changed: [string, FieldSet][] = [];
  const removed: [string, FieldSet][] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const found = compareChild(left.get(key), right.get(key), registry);
    changed.push([key, found.changed]);
    removed.push([key, found.removed]);
  }
  return { changed: fieldSet(false, changed), removed: fieldSet(false, removed) };
}

function compareLeaves(before: unknown, after: unknown): Comparison {
  if (after === undefined) return { changed: emptyFields, removed: leafField };
  return deepEqual(before, after) ? NOTHING : { changed: leafField, removed: emptyFields };
}

function compareChild(
  before: Child | undefined,
  after: Child | undefined,
  registry: SchemaRegistry,
): Comparison {
  const schema = after?.schema ?? before?.schema;
  const { changed, removed } = compareFields(before?.value, after?.value, schema, registry);
  const isNew = before === undefined && after !== undefined && !isVirtual(after);
  const isGone = after === undefined;
  return {
    changed: { owned: changed.owned || isNew, children: changed.children },
    removed: { owned: removed.owned || isGone, children: removed.children },
  };
}

/** A struct that Go has even when empty is no field of its own. */
const isVirtual = (child: Child): boolean =>
  child.alwaysThere &&
  typeof child.value === 'object' &&
  shapeOf(child.value, child.schema) !== 'atomic';
