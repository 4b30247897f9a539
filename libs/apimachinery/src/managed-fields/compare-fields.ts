import { deepEqual } from '../equality.js';
import { isPlainObject, own } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import type { Steps } from '../steps.js';
import { emptyFields, fieldSet, isEmptySet, leafField } from './field-set.js';
import type { FieldSet } from './field-set.js';
import { SLICE, childrenOf, childrenSteps, shapeOf, slotsBy } from './typed-node.js';
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
  // Most of an object that is updated is as before.
  if (before === after) return NOTHING;
  if (!isOpen(before, schema)) {
    if (!isOpen(after, schema)) return compareLeaves(before, after);
    return { changed: below(after, schema, registry), removed: emptyFields };
  }
  if (!isOpen(after, schema))
    return { changed: emptyFields, removed: below(before, schema, registry) };
  if (isPlainObject(before) && isPlainObject(after))
    return compareStructs(before, after, schema, registry);
  return compareElements(before, after, schema, registry);
}

/** Whether a value is owned piece by piece. */
const isOpen = (value: unknown, schema: Schema | undefined): boolean =>
  value !== undefined && shapeOf(value, schema) !== 'atomic';

type Place = Omit<Child, 'value'>;

/** A struct that Go has even when it is empty: no field of its own where what it lies in was and is there. */
const isStruct = (value: unknown, { alwaysThere, schema }: Place): boolean =>
  alwaysThere && typeof value === 'object' && isOpen(value, schema);

/** What Go's struct holds when nobody has set it. */
const isZero = (value: unknown, { alwaysThere, isBuiltIn }: Place): boolean =>
  (value === null && isBuiltIn) ||
  (alwaysThere && (value === '' || value === 0 || value === false));

/** All fields below a value that the other version does not have, or (`isThere`) has as an empty struct. */
function below(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
  isThere = false,
): FieldSet {
  const children = new Map<string, FieldSet>();
  const add = (key: string, child: unknown, place: Place): void => {
    const set = fieldOf(child, place, registry, isThere);
    if (!isEmptySet(set)) children.set(key, set);
  };
  if (isPlainObject(value)) {
    const slotNamed = slotsBy(schema, registry);
    for (const name of Object.keys(value)) {
      const child = value[name];
      if (child === undefined) continue;
      const slot = slotNamed(name);
      add(slot.key, child, slot);
    }
  } else
    for (const [key, child] of childrenOf(value, schema, registry)) add(key, child.value, child);
  return children.size > 0 ? { owned: false, children } : emptyFields;
}

/** A field that only one version has; `inBoth`: what it lies in is in both. */
function fieldOf(
  value: unknown,
  place: Place,
  registry: SchemaRegistry,
  inBoth: boolean,
): FieldSet {
  if (inBoth && isStruct(value, place)) return below(value, place.schema, registry, true);
  if (inBoth && isZero(value, place)) return emptyFields;
  if (shapeOf(value, place.schema) === 'atomic') return leafField;
  return withOwner(below(value, place.schema, registry), true);
}

/** What differs between two values with fields. */
function compareStructs(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Comparison {
  const found = new Differences();
  const slotNamed = slotsBy(schema, registry);
  for (const name of Object.keys(after)) {
    const value = after[name];
    const old = own(before, name);
    if (value === old || value === undefined) continue;
    const slot = slotNamed(name);
    if (old === undefined) found.changed(slot.key, fieldOf(value, slot, registry, true));
    else found.note(slot.key, compareFields(old, value, slot.schema, registry));
  }
  for (const name of Object.keys(before)) {
    const old = before[name];
    if (old === undefined || own(after, name) !== undefined) continue;
    const slot = slotNamed(name);
    found.removed(slot.key, fieldOf(old, slot, registry, true));
  }
  return found.comparison();
}

/** What differs below one value, put together. */
class Differences {
  #changed: Map<string, FieldSet> | undefined;
  #removed: Map<string, FieldSet> | undefined;

  note(key: string, { changed, removed }: Comparison): void {
    this.changed(key, changed);
    this.removed(key, removed);
  }

  changed(key: string, fields: FieldSet): void {
    if (!isEmptySet(fields)) (this.#changed ??= new Map()).set(key, fields);
  }

  removed(key: string, fields: FieldSet): void {
    if (!isEmptySet(fields)) (this.#removed ??= new Map()).set(key, fields);
  }

  comparison(): Comparison {
    if (!this.#changed && !this.#removed) return NOTHING;
    return { changed: setOf(this.#changed), removed: setOf(this.#removed) };
  }
}

const setOf = (children: Map<string, FieldSet> | undefined): FieldSet =>
  children ? { owned: false, children } : emptyFields;

/** What differs between two lists, or between a list and an object. */
function compareElements(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Comparison {
  if (deepEqual(before, after)) return NOTHING;
  const left = childrenOf(before, schema, registry);
  const right = childrenOf(after, schema, registry);
  const found = new Differences();
  for (const key of new Set([...right.keys(), ...left.keys()]))
    found.note(key, compareChild(left.get(key), right.get(key), registry, true));
  return found.comparison();
}

/** What differs in one child, with the child itself where it is new or gone. `inBoth`: what it lies in was and is there. */
function compareChild(
  before: Child | undefined,
  after: Child | undefined,
  registry: SchemaRegistry,
  inBoth: boolean,
): Comparison {
  if (before && after) return compareFields(before.value, after.value, after.schema, registry);
  if (after) return { ...NOTHING, changed: fieldOf(after.value, after, registry, inBoth) };
  if (before) return { ...NOTHING, removed: fieldOf(before.value, before, registry, inBoth) };
  return NOTHING;
}

/** The same as {@link compareFields} in steps, for objects that may have fields with very many children. */
export function* compareSteps(
  before: unknown,
  after: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
  isThere = false,
): Steps<Comparison> {
  const [wasOpen, isStillOpen] = [isOpen(before, schema), isOpen(after, schema)];
  if (!wasOpen && !isStillOpen) return compareLeaves(before, after);
  if (before !== undefined && deepEqual(before, after)) return NOTHING;
  const mine = childrenSteps(before, schema, registry);
  const left = mine instanceof Map ? mine : yield* mine;
  const theirs = childrenSteps(after, schema, registry);
  const right = theirs instanceof Map ? theirs : yield* theirs;
  const isWide = left.size + right.size > SLICE;
  if (isWide) yield;
  const inBoth = isThere || (wasOpen && isStillOpen);
  const found = new Differences();
  let done = 0;
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(key), right.get(key)];
    const difference = isWide
      ? compareChild(one, other, registry, inBoth)
      : yield* compareChildSteps(one, other, registry, inBoth);
    found.note(key, difference);
    done += 1;
    if (done % SLICE === 0) yield;
  }
  return found.comparison();
}

/** The same as {@link compareChild} in steps. */
function* compareChildSteps(
  before: Child | undefined,
  after: Child | undefined,
  registry: SchemaRegistry,
  inBoth: boolean,
): Steps<Comparison> {
  const child = after ?? before;
  if (!child) return NOTHING;
  const [old, now] = [before?.value, after?.value];
  if (before && after) return yield* compareSteps(old, now, child.schema, registry);
  if (inBoth && isZero(child.value, child)) return NOTHING;
  const isEmpty = inBoth && isStruct(child.value, child);
  const found = yield* compareSteps(old, now, child.schema, registry, isEmpty);
  if (isEmpty) return found;
  return after
    ? { ...found, changed: withOwner(found.changed, true) }
    : { ...found, removed: withOwner(found.removed, true) };
}

function compareLeaves(before: unknown, after: unknown): Comparison {
  if (after === undefined) return REMOVED;
  return deepEqual(before, after) ? NOTHING : CHANGED;
}
