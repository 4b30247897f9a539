import type { FieldError, Steps } from '@orrery/apimachinery';
import { canonicalJson } from '@orrery/apimachinery';
import { fieldError, invalidValue } from './findings.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf } from './structural-schema.js';

/** The keys of an element that it has, in the order in which Go prints a map; an element may be null. */
function keysOf(item: unknown, names: readonly string[]): Json {
  if (!isJsonObject(item)) return {};
  const known = names.filter((name) => Object.hasOwn(item, name)).sort();
  return Object.fromEntries(known.map((name) => [name, item[name]]));
}

/** Values that are looked at in one go. */
const SLICE = 500;

/** Each value that was there before, where it is seen for the second time; `toValue` makes what is compared of an element. */
function* duplicatesOf(
  list: readonly unknown[],
  path: string,
  toValue: (item: unknown) => unknown = (item) => item,
): Steps<FieldError[]> {
  const seen = new Map<string, number>();
  const found: FieldError[] = [];
  for (const [i, item] of list.entries()) {
    if (i % SLICE === SLICE - 1) yield;
    const value = toValue(item);
    const id = canonicalJson(value);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    if (times !== 2) continue;
    const detail = `Duplicate value: ${JSON.stringify(value)}`;
    found.push(fieldError('FieldValueDuplicate', `${path}[${i}]`, detail));
  }
  return found;
}

function* validateMap(
  values: readonly unknown[],
  names: readonly string[],
  path: string,
): Steps<FieldError[]> {
  const odd = values.findIndex((value) => value !== null && !isJsonObject(value));
  if (odd < 0) return yield* duplicatesOf(values, path, (value) => keysOf(value, names));
  const detail = 'must be an object for an array of list-type map';
  return [invalidValue(`${path}[${odd}]`, values[odd], detail)];
}

/** Whether there may be lists in what a schema describes. */
const mayHoldLists = ({ type }: StructuralSchema): boolean =>
  type === undefined || type === 'array' || type === 'object';

function* validateArray(
  values: readonly unknown[],
  schema: StructuralSchema,
  path: string,
): Steps<FieldError[]> {
  const { items } = schema;
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  const type = schema['x-kubernetes-list-type'];
  const found = type === 'set' ? yield* duplicatesOf(values, path) : [];
  if (type === 'map') found.push(...(yield* validateMap(values, names, path)));
  if (!items || !mayHoldLists(items)) return found;
  for (const [i, one] of values.entries()) {
    if (i % SLICE === SLICE - 1) yield;
    if (typeof one !== 'object' || one === null) continue;
    for (const problem of yield* validateListTypes(one, items, `${path}[${i}]`))
      found.push(problem);
  }
  return found;
}

/** Elements of sets and keys of maps must be unique (apiextensions-apiserver schema/listtype:ValidateListSetsAndMaps). */
export function* validateListTypes(
  value: unknown,
  schema: StructuralSchema,
  path: string,
): Steps<FieldError[]> {
  if (Array.isArray(value)) return yield* validateArray(value as unknown[], schema, path);
  const found: FieldError[] = [];
  if (!isJsonObject(value)) return found;
  const { additionalProperties, properties } = schema;
  // Nothing is known of what is free, which may be very wide.
  if (!properties && typeof additionalProperties !== 'object') return found;
  let done = 0;
  for (const key of Object.keys(value)) {
    done += 1;
    if (done % SLICE === 0) yield;
    const member = value[key];
    if (typeof member !== 'object' || member === null) continue;
    const named = memberOf(properties, key);
    const below = named ?? (typeof additionalProperties === 'object' && additionalProperties);
    if (!below) continue;
    const at = !named ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    for (const problem of yield* validateListTypes(member, below, at)) found.push(problem);
  }
  return found;
}
