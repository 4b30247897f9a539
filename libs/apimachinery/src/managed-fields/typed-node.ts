import { canonicalJson } from '../equality.js';
import { isPlainObject, own } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';

/** How the fields below a value are owned: as one, by field name, or by list element. */
export type Shape = 'atomic' | 'fields' | 'set' | 'keyed';

export interface Child {
  readonly value: unknown;
  readonly schema: Schema | undefined;
  /** A field of a struct rather than an entry of a map or list. */
  readonly isStructField: boolean;
  /** Go's struct has the field even when nobody set it. */
  readonly alwaysThere: boolean;
  /** A field of a struct of Go's. */
  readonly isBuiltIn: boolean;
}

const ELEMENT = { isStructField: false, alwaysThere: false, isBuiltIn: false } as const;

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

/** The path element of a list entry; absent keys take their defaults, null is a key. */
export function elementKey(
  item: unknown,
  shape: 'set' | 'keyed',
  schema: Schema | undefined,
  registry: SchemaRegistry,
): string {
  if (shape === 'set') return `v:${canonicalJson(item)}`;
  const keys: Record<string, unknown> = {};
  const names = keysOf(schema);
  for (const name of names) {
    const given = isPlainObject(item) ? own(item, name) : undefined;
    const value = given === undefined ? registry.field(schema?.items, name)?.default : given;
    if (value !== undefined) keys[name] = value;
  }
  const [only] = names;
  if (only !== undefined && names.length === 1 && typeof keys[only] === 'string')
    return `k:{${JSON.stringify(only)}:${JSON.stringify(keys[only])}}`;
  return `k:${canonicalJson(keys)}`;
}

/** Children of one value that are looked at in one go. */
export const SLICE = 2000;

/** The children of a value by path element; empty for atomic values. */
export function childrenOf(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Map<string, Child> {
  const found = childrenSteps(value, schema, registry);
  return found instanceof Map ? found : finish(found);
}

/** The same, in steps where there are very many of them. */
export function childrenSteps(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Map<string, Child> | Steps<Map<string, Child>> {
  const shape = shapeOf(value, schema);
  if (shape === 'fields' && isPlainObject(value))
    return inSlices(Object.keys(value), fieldsAdder(value, schema, registry));
  if ((shape !== 'set' && shape !== 'keyed') || !Array.isArray(value)) return new Map();
  const items = registry.deref(schema?.items);
  return inSlices(value as readonly unknown[], (children, item) => {
    const key = elementKey(item, shape, schema, registry);
    children.set(key, { value: item, schema: items, ...ELEMENT });
  });
}

type Adder<T> = (children: Map<string, Child>, of: T) => void;

function inSlices<T>(
  parts: readonly T[],
  add: Adder<T>,
): Map<string, Child> | Steps<Map<string, Child>> {
  if (parts.length > SLICE) return slicesOf(parts, add);
  const children = new Map<string, Child>();
  for (const part of parts) add(children, part);
  return children;
}

function* slicesOf<T>(parts: readonly T[], add: Adder<T>): Steps<Map<string, Child>> {
  const children = new Map<string, Child>();
  for (const [i, part] of parts.entries()) {
    if (i % SLICE === 0) yield;
    add(children, part);
  }
  return children;
}

/** What the schema says of one field: all of a Child but its value. */
export interface Slot extends Omit<Child, 'value'> {
  readonly key: string;
}

/** The slots of declared fields, per registry and schema: objects of a kind have the same fields over and over. */
const slots = new WeakMap<SchemaRegistry, WeakMap<Schema, Map<string, Slot>>>();

function slotsOf(schema: Schema, registry: SchemaRegistry): Map<string, Slot> {
  let bySchema = slots.get(registry);
  if (!bySchema) slots.set(registry, (bySchema = new WeakMap()));
  let known = bySchema.get(schema);
  if (!known) bySchema.set(schema, (known = new Map()));
  return known;
}

function slotOf(name: string, schema: Schema | undefined, registry: SchemaRegistry): Slot {
  const { properties = {}, required = [] } = schema ?? {};
  const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return {
    key: `f:${name}`,
    schema: registry.field(schema, name),
    isStructField: declared !== undefined,
    isBuiltIn: registry.hasStructs && declared !== undefined,
    // A pointer has no default, though it may be required.
    alwaysThere:
      registry.hasStructs &&
      (declared?.default !== undefined ||
        (required.includes(name) && declared?.$ref === undefined)),
  };
}

/** What the schema says of the fields of one value, by name. */
export function slotsBy(
  schema: Schema | undefined,
  registry: SchemaRegistry,
): (name: string) => Slot {
  const known = schema?.properties && slotsOf(schema, registry);
  return (name) => {
    let slot = known?.get(name);
    if (!slot) {
      slot = slotOf(name, schema, registry);
      // What is not declared has no end of names.
      if (slot.isStructField) known?.set(name, slot);
    }
    return slot;
  };
}

function fieldsAdder(
  value: Readonly<Record<string, unknown>>,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): Adder<string> {
  const slotNamed = slotsBy(schema, registry);
  return (children, name) => {
    const { key, ...place } = slotNamed(name);
    children.set(key, { ...place, value: value[name] });
  };
}
