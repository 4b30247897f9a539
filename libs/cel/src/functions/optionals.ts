import { equalValues } from '../values/equality.js';
import { Duration, Timestamp, Uint } from '../values/scalars.js';
import type { Value } from '../values/value.js';
import { ListValue, MapValue, ObjectValue, OptionalValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const none = new OptionalValue(undefined);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '') return true;
  if (typeof value === 'bigint' || typeof value === 'number') return equalValues(value, 0n);
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration || value instanceof Timestamp) return value.nanos === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  return value instanceof ObjectValue && [...value.names()].length === 0;
}

const valueOf = ({ value }: OptionalValue): Value =>
  value === undefined ? fail('optional.none() dereference') : value;

/** cel-go's cel.OptionalTypes, but for what is an operator. */
export const optionals: readonly Overload[] = [
  fn('::optional.of(V): optional(V)', 'optional_of', (value: Value) => new OptionalValue(value)),
  fn('::optional.ofNonZeroValue(V): optional(V)', 'optional_ofNonZeroValue', (value: Value) =>
    isZero(value) ? none : new OptionalValue(value),
  ),
  fn('::optional.none(): optional(V)', 'optional_none', () => none),
  fn('::optional.unwrap(list(optional(V))): list(V)', 'optional_unwrap', unwrap),
  fn('list(optional(V)).unwrapOpt(): list(V)', 'optional_unwrapOpt', unwrap),
  fn('optional(V).value(): V', 'optional_value', valueOf),
  fn(
    'optional(V).hasValue(): bool',
    'optional_hasValue',
    ({ value }: OptionalValue) => value !== undefined,
  ),
];

function unwrap(list: ListValue): ListValue {
  const found = list.toArray().flatMap((one) => {
    if (!(one instanceof OptionalValue)) return fail('no such overload');
    return one.value === undefined ? [] : [one.value];
  });
  return new ListValue(found);
}
