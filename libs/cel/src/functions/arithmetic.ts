import { Duration, Timestamp, Uint } from '../values/scalars.js';
import type { Value } from '../values/value.js';
import { ListValue } from '../values/value.js';
import { listMapKey, equalValues } from '../values/equality.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
const MIN_TIME = -62_135_596_800n * 1_000_000_000n;
const MAX_TIME = 253_402_300_800n * 1_000_000_000n - 1n;

/** The value, or the overflow error of its type. */
export const int = (value: bigint): bigint =>
  value < MIN_INT || value > MAX_INT ? fail('integer overflow') : value;
export const uint = (value: bigint): Uint =>
  value < 0n || value > MAX_UINT ? fail('unsigned integer overflow') : new Uint(value);
const duration = (nanos: bigint): Duration =>
  nanos < MIN_INT || nanos > MAX_INT ? fail('duration overflow') : new Duration(nanos);
export const timestamp = (nanos: bigint): Timestamp =>
  nanos < MIN_TIME || nanos > MAX_TIME ? fail('timestamp overflow') : new Timestamp(nanos);

const nonZero = (value: bigint, what: string): bigint => (value === 0n ? fail(what) : value);
const DIVIDE = 'division by zero';
const MODULUS = 'modulus by zero';

function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([a, b]));
}

/** `+` of lists; sets stay sets, and lists of type map replace what has the same key (KEP-2876). */
export function concatLists(a: ListValue, b: ListValue): ListValue {
  if (a.listType === 'set') {
    const own = a.toArray();
    const more = b.toArray().filter((item) => !own.some((one) => equalValues(one, item)));
    return new ListValue([...own, ...more], undefined, 'set');
  }
  if (a.listType !== 'map' || b.listType !== 'map')
    return new ListValue([...a.toArray(), ...b.toArray()]);
  const at = new Map(a.items.map((item, i) => [listMapKey(item, a.mapKeys), i]));
  const merged: Value[] = a.toArray();
  b.items.forEach((item, i) => {
    const known = at.get(listMapKey(item, a.mapKeys));
    if (known === undefined) merged.push(b.at(i));
    else merged[known] = b.at(i);
  });
  return new ListValue(merged);
}

export const arithmetic: readonly Overload[] = [
  fn('_+_(int, int): int', 'add_int64', (a: bigint, b: bigint) => int(a + b)),
  fn('_+_(uint, uint): uint', 'add_uint64', (a: Uint, b: Uint) => uint(a.value + b.value)),
  fn('_+_(double, double): double', 'add_double', (a: number, b: number) => a + b),
  fn('_+_(string, string): string', 'add_string', (a: string, b: string) => a + b),
  fn('_+_(bytes, bytes): bytes', 'add_bytes', concatBytes),
  fn('_+_(list(A), list(A)): list(A)', 'add_list', concatLists),
  fn('_+_(timestamp, duration): timestamp', 'add_timestamp_duration', (a: Timestamp, b: Duration) =>
    timestamp(a.nanos + b.nanos),
  ),
  fn('_+_(duration, timestamp): timestamp', 'add_duration_timestamp', (a: Duration, b: Timestamp) =>
    timestamp(a.nanos + b.nanos),
  ),
  fn('_+_(duration, duration): duration', 'add_duration_duration', (a: Duration, b: Duration) =>
    duration(a.nanos + b.nanos),
  ),
  fn('_-_(int, int): int', 'subtract_int64', (a: bigint, b: bigint) => int(a - b)),
  fn('_-_(uint, uint): uint', 'subtract_uint64', (a: Uint, b: Uint) => uint(a.value - b.value)),
  fn('_-_(double, double): double', 'subtract_double', (a: number, b: number) => a - b),
  fn(
    '_-_(timestamp, timestamp): duration',
    'subtract_timestamp_timestamp',
    (a: Timestamp, b: Timestamp) => duration(a.nanos - b.nanos),
  ),
  fn(
    '_-_(timestamp, duration): timestamp',
    'subtract_timestamp_duration',
    (a: Timestamp, b: Duration) => timestamp(a.nanos - b.nanos),
  ),
  fn(
    '_-_(duration, duration): duration',
    'subtract_duration_duration',
    (a: Duration, b: Duration) => duration(a.nanos - b.nanos),
  ),
  fn('_*_(int, int): int', 'multiply_int64', (a: bigint, b: bigint) => int(a * b)),
  fn('_*_(uint, uint): uint', 'multiply_uint64', (a: Uint, b: Uint) => uint(a.value * b.value)),
  fn('_*_(double, double): double', 'multiply_double', (a: number, b: number) => a * b),
  fn('_/_(int, int): int', 'divide_int64', (a: bigint, b: bigint) => int(a / nonZero(b, DIVIDE))),
  fn('_/_(uint, uint): uint', 'divide_uint64', (a: Uint, b: Uint) =>
    uint(a.value / nonZero(b.value, DIVIDE)),
  ),
  fn('_/_(double, double): double', 'divide_double', (a: number, b: number) => a / b),
  fn('_%_(int, int): int', 'modulo_int64', (a: bigint, b: bigint) => int(a % nonZero(b, MODULUS))),
  fn('_%_(uint, uint): uint', 'modulo_uint64', (a: Uint, b: Uint) =>
    uint(a.value % nonZero(b.value, MODULUS)),
  ),
  fn('-_(int): int', 'negate_int64', (a: bigint) => int(-a)),
  fn('-_(double): double', 'negate_double', (a: number) => -a),
];
