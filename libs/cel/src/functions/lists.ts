import { equalValues } from '../values/equality.js';
import { Duration, Uint } from '../values/scalars.js';
import { typeNameOf } from '../values/type-of.js';
import type { Value } from '../values/value.js';
import { ListValue, MapValue, OptionalValue, sizeOf } from '../values/value.js';
import { int, uint } from './arithmetic.js';
import { compareValues } from './comparison.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const SUMMABLE = ['int', 'uint', 'double', 'duration'];

const list = (items: readonly Value[]): ListValue => new ListValue(items);

function isSorted(values: ListValue): boolean {
  for (let i = 1; i < values.size; i++)
    if (compareValues(values.at(i - 1), values.at(i)) > 0) return false;
  return true;
}

function sumOf(values: ListValue, zero: Value): Value {
  let sum: Value = zero;
  for (const value of values) {
    if (typeof sum === 'bigint') sum = int(sum + (value as bigint));
    else if (typeof sum === 'number') sum += value as number;
    else if (sum instanceof Uint) sum = uint(sum.value + (value as Uint).value);
    else sum = new Duration(int((sum as Duration).nanos + (value as Duration).nanos));
  }
  return sum;
}

const ZEROS: Readonly<Record<string, Value>> = {
  int: 0n,
  uint: new Uint(0n),
  double: 0,
  duration: new Duration(0n),
};

/** The zero of the first element's type; a list of dyn sums as what it holds. */
const sum =
  (type: string) =>
  (values: ListValue): Value =>
    sumOf(values, ZEROS[values.size > 0 ? kindOfNumber(values.at(0)) : type] ?? 0n);

function kindOfNumber(value: Value): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (value instanceof Uint) return 'uint';
  return value instanceof Duration ? 'duration' : fail('no such overload');
}

function extreme(name: string, sign: number): (values: ListValue) => Value {
  return (values) => {
    if (values.size === 0) return fail(`${name} called on empty list`);
    let found = values.at(0);
    for (const value of values) if (compareValues(value, found) * sign > 0) found = value;
    return found;
  };
}

function indexOf(values: ListValue, wanted: Value): bigint {
  for (let i = 0; i < values.size; i++) if (equalValues(values.at(i), wanted)) return BigInt(i);
  return -1n;
}

function lastIndexOf(values: ListValue, wanted: Value): bigint {
  for (let i = values.size - 1; i >= 0; i--)
    if (equalValues(values.at(i), wanted)) return BigInt(i);
  return -1n;
}

function slice(values: ListValue, start: bigint, end: bigint): ListValue {
  if (start < 0n || end < 0n)
    return fail(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end)
    return fail(
      `cannot slice(${start}, ${end}), start index must be less than or equal to end index`,
    );
  if (end > BigInt(values.size))
    return fail(`cannot slice(${start}, ${end}), list is length ${values.size}`);
  return list(values.toArray().slice(Number(start), Number(end)));
}

function flatten(values: ListValue, depth = 1n): ListValue {
  if (depth < 0n) return fail('level must be non-negative');
  const flat = (of: ListValue, left: bigint): Value[] =>
    of
      .toArray()
      .flatMap((item) => (item instanceof ListValue && left > 0n ? flat(item, left - 1n) : [item]));
  return list(flat(values, depth));
}

function distinct(values: ListValue): ListValue {
  const found: Value[] = [];
  const seen = new Set<Value>();
  for (const value of values) {
    const isPlain = typeof value === 'string' || typeof value === 'bigint';
    if (isPlain ? seen.has(value) : found.some((one) => equalValues(one, value))) continue;
    if (isPlain) seen.add(value);
    found.push(value);
  }
  return list(found);
}

const MAX_RANGE = 1_000_000n;

function range(count: bigint): ListValue {
  if (count < 0n) return list([]);
  if (count > MAX_RANGE)
    return fail(`lists.range: size ${count} exceeds maximum allowed size ${MAX_RANGE}`);
  return list(Array.from({ length: Number(count) }, (_, i) => BigInt(i)));
}

function sortedBy(values: ListValue, keys: ListValue): ListValue {
  const first = keys.size > 0 ? typeNameOf(keys.at(0)) : '';
  if (keys.toArray().some((key) => typeNameOf(key) !== first))
    return fail('list elements must have the same type');
  const order = keys.toArray().map((key, i) => ({ key, i }));
  order.sort((a, b) => compareValues(a.key, b.key) || a.i - b.i);
  return list(order.map(({ i }) => values.at(i)));
}

const first = (values: ListValue): OptionalValue =>
  new OptionalValue(values.size > 0 ? values.at(0) : undefined);
const last = (values: ListValue): OptionalValue =>
  new OptionalValue(values.size > 0 ? values.at(values.size - 1) : undefined);

const size = (value: Value): bigint => BigInt(sizeOf(value) ?? fail('no such overload'));

/** Sizes, Kubernetes' list library, and cel-go's ext.Lists version 3. */
export const lists: readonly Overload[] = [
  ...(['string', 'bytes', 'list(A)', 'map(A, B)'] as const).flatMap((type) => {
    const id = type.replace(/\(.*/, '');
    return [
      fn(`size(${type}): int`, `size_${id}`, size),
      fn(`${type}.size(): int`, `${id}_size`, size),
    ];
  }),
  ...COMPARABLE.flatMap((type) => [
    fn(`list(${type}).isSorted(): bool`, `list_${type}_is_sorted_bool`, isSorted),
    fn(`list(${type}).max(): ${type}`, `list_${type}_max_self`, extreme('max', 1)),
    fn(`list(${type}).min(): ${type}`, `list_${type}_min_self`, extreme('min', -1)),
    fn(`list(${type}).sort(): list(${type})`, `list_${type}_sort`, (values: ListValue) =>
      sortedBy(values, values),
    ),
    fn(
      `list(T).@sortByAssociatedKeys(list(${type})): list(T)`,
      `list_${type}_sortByAssociatedKeys`,
      sortedBy,
    ),
  ]),
  ...SUMMABLE.map((type) =>
    fn(`list(${type}).sum(): ${type}`, `list_${type}_sum_${type}`, sum(type)),
  ),
  fn('list(T).indexOf(T): int', 'list_a_index_of_int', indexOf),
  fn('list(T).lastIndexOf(T): int', 'list_a_last_index_of_int', lastIndexOf),
  fn('list(T).slice(int, int): list(T)', 'list_slice', slice),
  fn('list(dyn).flatten(): list(dyn)', 'list_flatten', (values: ListValue) => flatten(values)),
  fn('list(dyn).flatten(int): list(dyn)', 'list_flatten_int', flatten),
  fn('list(T).distinct(): list(T)', 'list_distinct', distinct),
  fn('list(T).reverse(): list(T)', 'list_reverse', (values: ListValue) =>
    list(values.toArray().reverse()),
  ),
  fn('list(T).first(): optional(T)', 'list_first', first),
  fn('list(T).last(): optional(T)', 'list_last', last),
  fn('::lists.range(int): list(int)', 'lists_range', range),
];

function insertInto(map: MapValue): never {
  return fail(`cannot insert into ${typeNameOf(map)}`);
}

/** What the macros over maps call; the evaluator does the work in place. */
export const mapInserts: readonly Overload[] = [
  fn('::cel.@mapInsert(map(K, V), K, V): map(K, V)', '@mapInsert_map_key_value', insertInto),
  fn('::cel.@mapInsert(map(K, V), map(K, V)): map(K, V)', '@mapInsert_map_map', insertInto),
];

function contains(values: ListValue, wanted: ListValue): boolean {
  return wanted.toArray().every((item) => indexOf(values, item) >= 0n);
}

/** cel-go's ext.Sets. */
export const sets: readonly Overload[] = [
  fn('::sets.contains(list(T), list(T)): bool', 'list_sets_contains_list', contains),
  fn(
    '::sets.equivalent(list(T), list(T)): bool',
    'list_sets_equivalent_list',
    (a: ListValue, b: ListValue) => contains(a, b) && contains(b, a),
  ),
  fn(
    '::sets.intersects(list(T), list(T)): bool',
    'list_sets_intersects_list',
    (a: ListValue, b: ListValue) => b.toArray().some((item) => indexOf(a, item) >= 0n),
  ),
];
