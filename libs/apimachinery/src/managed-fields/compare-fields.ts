import { deepEqual } from '../equality.js';
import { isPlainObject } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import type { Steps } from '../steps.js';
import { emptyFields, fieldSet, isEmptySet, leafField } from './field-set.js';
import type { FieldSet } from './field-set.js';
import { SLICE, childrenOf, childrenSteps, shapeOf } from './typed-node.js';
import type { Child } from './typed-node.js';

const isEmptyValue = (value: unknown): boolean =>
  value === null || (isPlainObject(value) && Object.keys(value).length === 0);

const withOwner = (set: FieldSet, owned: boolean): FieldSet => {
  if (set.owned === owned) return set;
  return set.children.size === 0 && owned ? leafField : { owned, children: set.children };
};

/** The fields an applied configuration names (structured-merge-diff typed/tofieldset.go). */
export function extractFields(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): FieldSet {
  if (shapeOf(value, schema) === 'atomic') return leafField;
  const children = new Map<string, FieldSet>();
  for (const [key, child] of childrenOf(value, schema, registry)) {
    const below = extractFields(child.value, child.schema, registry);
    const owned = below.owned || isEmptyValue(child.value) || !child.isStructField;
    children.set(key, withOwner(below, owned));
  }
  return fieldSet(false, children);
}

/** The same in steps, for objects that may have fields with very many children. */
export function* extractSteps(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Steps<FieldSet> {
  if (shapeOf(value, schema) === 'atomic') return leafField;
  const found = childrenSteps(value, schema, registry);
  const all = found instanceof Map ? found : yield* found;
  const isWide = all.size > SLICE;
  if (isWide) yield;
  const children = new Map<string, FieldSet>();
  for (const [key, child] of all) {
    const below = isWide
      ? extractFields(child.value, child.schema, registry)
      : yield* extractSteps(child.value, child.schema, registry);
    const owned = below.owned || isEmptyValue(child.value) || !child.isStructField;
    const set = withOwner(below, owned);
    if (!isEmptySet(set)) children.set(key, set);
    if (children.size % SLICE === 0) yield;
  }
  return children.size > 0 ? { owned: false, children } : emptyFields;
}

export interface Comparison {
  /** Fields whose value is new or other than before. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const CHANGED: Comparison = { changed: leafField, removed: emptyFields };
const REMOVED: Comparison = { changed: emptyFields, removed: leafField };
const NOTHING: Comparison = { changed: emptyFields, removed: emptyFields };

/** What differs between two versions of an object, by the schema's shapes. */
export function compareFields(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Comparison {
  if (after === undefined && before === undefined) return NOTHING;
  const isLeaf = (value: unknown): boolean =>
    value === undefined || shapeOf(value, schema) === 'atomic';
  if (isLeaf(before) && isLeaf(after)) return compareLeaves(before, after);
  // Most of an object that is updated is as before.
  if (before !== undefined && deepEqual(before, after)) return NOTHING;
  const left = childrenOf(before, schema, registry);
  const right = childrenOf(after, schema, registry);
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const compare = (key: string, mine: Child | undefined, theirs: Child | undefined): void => {
    const found = compareChild(mine, theirs, registry);
    if (!isEmptySet(found.changed)) changed.set(key, found.changed);
    if (!isEmptySet(found.removed)) removed.set(key, found.removed);
  };
  for (const [key, child] of left) compare(key, child, right.get(key));
  for (const [key, child] of right) if (!left.has(key)) compare(key, undefined, child);
  return { changed: fieldSet(false, changed), removed: fieldSet(false, removed) };
}

/** The same in steps, for objects that may have fields with very many children. */
export function* compareSteps(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Steps<Comparison> {
  const isOpen = (value: unknown): boolean =>
    value !== undefined && shapeOf(value, schema) !== 'atomic';
  if (!isOpen(before) && !isOpen(after)) return compareLeaves(before, after);
  if (before !== undefined && deepEqual(before, after)) return NOTHING;
  const mine = childrenSteps(before, schema, registry);
  const left = mine instanceof Map ? mine : yield* mine;
  const theirs = childrenSteps(after, schema, registry);
  const right = theirs instanceof Map ? theirs : yield* theirs;
  const isWide = left.size + right.size > SLICE;
  if (isWide) yield;
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  let done = 0;
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(key), right.get(key)];
    const found = isWide
      ? compareChild(one, other, registry)
      : yield* compareChildSteps(one, other, registry);
    if (!isEmptySet(found.changed)) changed.set(key, found.changed);
    if (!isEmptySet(found.removed)) removed.set(key, found.removed);
    done += 1;
    if (done % SLICE === 0) yield;
  }
  return { changed: fieldSet(false, changed), removed: fieldSet(false, removed) };
}

function* compareChildSteps(
  before: Child | undefined,
  after: Child | undefined,
  registry: SchemaRegistry,
): Steps<Comparison> {
  const schema = after?.schema ?? before?.schema;
  const found = yield* compareSteps(before?.value, after?.value, schema, registry);
  return ownedComparison(found, before, after);
}

function compareLeaves(before: unknown, after: unknown): Comparison {
  if (after === undefined) return REMOVED;
  return deepEqual(before, after) ? NOTHING : CHANGED;
}

function compareChild(
  before: Child | undefined,
  after: Child | undefined,
  registry: SchemaRegistry,
): Comparison {
  const schema = after?.schema ?? before?.schema;
  return ownedComparison(
    compareFields(before?.value, after?.value, schema, registry),
    before,
    after,
  );
}

/** What differs below a child, with the child itself where it is new or gone. */
function ownedComparison(
  { changed, removed }: Comparison,
  before: Child | undefined,
  after: Child | undefined,
): Comparison {
  const isNew = before === undefined && after !== undefined && !isVirtual(after);
  const isGone = after === undefined;
  return {
    changed: withOwner(changed, changed.owned || isNew),
    removed: withOwner(removed, removed.owned || isGone),
  };
}

/** A struct that Go has even when empty is no field of its own. */
const isVirtual = (child: Child): boolean =>
  child.alwaysThere &&
  typeof child.value === 'object' &&
  shapeOf(child.value, child.schema) !== 'atomic';
