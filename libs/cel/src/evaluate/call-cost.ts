import { FormatValue } from '../functions/named-formats.js';
import type { Value } from '../values/value.js';
import { ListValue, MapValue, ObjectValue, stringSize, sizeOf } from '../values/value.js';

/** cel-go common/cost.go. */
export const COST = {
  select: 1,
  list: 10,
  map: 30,
  struct: 40,
  stringFactor: 0.1,
  regexFactor: 0.25,
} as const;

type ArgsCost = (args: readonly Value[]) => number;

const size = (value: Value | undefined): number => (value === undefined ? 1 : (sizeOf(value) ?? 1));
const traversal = (units: number): number => Math.ceil(units * COST.stringFactor);

const first =
  (factor = 1): ArgsCost =>
  ([text]) =>
    Math.ceil(size(text) * factor * COST.stringFactor);

const regex: ArgsCost = ([text, pattern]) =>
  traversal(1 + size(text)) * Math.ceil(size(pattern) * COST.regexFactor);

/** Cost of looking at every leaf of a value (k8s apiserver pkg/cel/library/cost.go:traversalCost). */
function traverse(value: Value | undefined): number {
  if (value === undefined || value === null) return 1;
  if (typeof value === 'string') return Math.floor(stringSize(value) * COST.stringFactor);
  if (value instanceof ListValue) {
    let sum = 0;
    for (const item of value) sum += traverse(item);
    return sum;
  }
  if (value instanceof MapValue) {
    let sum = 0;
    for (const key of value.keys()) sum += traverse(key) + traverse(value.get(key));
    return sum;
  }
  if (!(value instanceof ObjectValue)) return 1;
  let sum = 0;
  for (const name of value.names()) sum += traverse(name) + traverse(value.field(name));
  return sum;
}

const whole: ArgsCost = ([value]) => traverse(value);

const validate: ArgsCost = ([format, text]) => {
  const pattern = format instanceof FormatValue ? format.regexSize : 1;
  return traversal(1 + size(text)) * Math.ceil(pattern * COST.regexFactor);
};

/** A selector is a string that becomes requirements, each a struct and a list. */
const selector: ArgsCost = ([, text]) =>
  COST.list +
  traversal(size(text)) +
  Math.ceil(Math.ceil(size(text) * 0.5) * (COST.list + COST.struct));

const containsIp: ArgsCost = ([, other]) =>
  2 + (typeof other === 'string' ? traversal(size(other)) : 0);

const pairs =
  (factor: number): ArgsCost =>
  ([a, b]) =>
    1 + size(a) * size(b) * factor;

/** Sorting and finding distinct elements are charged as comparing each with each. */
const selfCompare =
  (index: number): ArgsCost =>
  (args) => {
    const list = args[index];
    const sample = list instanceof ListValue && list.size > 0 ? list.at(0) : null;
    const factor = typeof sample === 'string' ? 2 + COST.stringFactor : 2;
    return 1 + COST.list + Math.floor(size(list) ** 2 * factor);
  };

const minSize: ArgsCost = ([a, b]) => traversal(Math.min(size(a), size(b)));

/** Charged by function name, before the call is made. */
const BY_NAME: Readonly<Record<string, ArgsCost>> = {
  check: () => 350_000,
  fieldSelector: selector,
  labelSelector: selector,
  isSorted: whole,
  sum: whole,
  max: whole,
  min: whole,
  indexOf: whole,
  lastIndexOf: whole,
  url: first(),
  lowerAscii: first(),
  upperAscii: first(),
  substring: first(),
  trim: first(),
  'jsonpatch.escapeKey': first(),
  replace: first(2),
  split: first(2),
  find: regex,
  findAll: regex,
  matches: regex,
  cidr: first(),
  isIP: first(),
  isCIDR: first(),
  'ip.isCanonical': first(2),
  containsIP: containsIp,
  containsCIDR: (args) => containsIp(args) + 2,
  quantity: first(),
  isQuantity: first(),
  semver: first(),
  isSemver: first(),
  validate,
  format: first(),
  'strings.quote': first(),
  startsWith: ([, prefix]) => traversal(size(prefix)),
  endsWith: ([, suffix]) => traversal(size(suffix)),
  contains: ([text, part]) => traversal(size(text)) * traversal(size(part)),
  '_==_': minSize,
  '_!=_': minSize,
  'sets.contains': pairs(1),
  'sets.intersects': pairs(1),
  'sets.equivalent': pairs(2),
  distinct: selfCompare(0),
  sort: selfCompare(0),
  '@sortByAssociatedKeys': selfCompare(1),
  flatten: ([list, depth]) =>
    1 + COST.list + size(list) * (typeof depth === 'bigint' ? Math.max(Number(depth), 1) : 1),
  'lists.range': ([count]) => 1 + COST.list + Math.max(Number(count as bigint), 0),
  slice: ([, start, end]) =>
    1 + COST.list + Math.max(Number((end as bigint) - (start as bigint)), 0),
  reverse: ([list]) => 1 + COST.list + size(list),
};

const BY_OVERLOAD: Readonly<Record<string, ArgsCost>> = {
  add_string: ([a, b]) => traversal(size(a) + size(b)),
  add_bytes: ([a, b]) => traversal(size(a) + size(b)),
  in_list: ([, list]) => size(list),
  string_to_ip: first(),
  string_to_bytes: first(),
  bytes_to_string: first(),
};

/**
 * Runtime cost of a call but for its arguments' own (cel-go interpreter/runtimecost.go, k8s library/cost.go);
 * undefined = always 1.
 */
export function costOfCall(name: string, overload: string): ArgsCost | undefined {
  if (Object.hasOwn(BY_OVERLOAD, overload)) return BY_OVERLOAD[overload];
  if (/^(?:less|greater)(?:_equals)?_(?:string|bytes)$/.test(overload)) return minSize;
  return Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
}

/** Cost that is known only when the call is done, by its result. */
export const costOfResult = (name: string): ArgsCost | undefined =>
  name === 'join' ? first(2) : undefined;

/** Cost of comparing two values, as upstream estimates it from their sizes. */
export const costOfEquality = (a: Value, b: Value): number => minSize([a, b]);
