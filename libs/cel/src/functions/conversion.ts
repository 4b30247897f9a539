import {
  formatDuration,
  formatTimestamp,
  parseDateTime,
  parseGoDuration,
} from '../values/formats.js';
import { Duration, Timestamp, Uint } from '../values/scalars.js';
import { typeNameOf } from '../values/type-of.js';
import type { Value } from '../values/value.js';
import { TypeValue } from '../values/value.js';
import { int, timestamp, uint } from './arithmetic.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

const NANOS = 1_000_000_000n;
const INT_LIMIT = 2 ** 63;

function doubleToInt(value: number): bigint {
  if (!(value > -INT_LIMIT && value < INT_LIMIT)) return fail('integer overflow');
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): Uint {
  if (!(value >= 0 && value < 2 ** 64)) return fail('unsigned integer overflow');
  return new Uint(BigInt(Math.trunc(value)));
}

function stringToInt(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) {
    return fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) !== value)
    return fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

function stringToUint(text: string): Uint {
  if (!/^\d+$/.test(text))
    return fail(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return uint(BigInt(text));
}

const SPECIAL: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  infinity: Infinity,
};

function stringToDouble(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const named = SPECIAL[text.replace(/^[+-]/, '').toLowerCase()];
  if (named !== undefined) return sign * named;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    return fail(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Go's shortest form of a float64 (strconv 'g'). */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21) return String(value);
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const digits = power.replace(/^[+-]/, '').padStart(2, '0');
  return `${mantissa}e${power.startsWith('-') ? '-' : '+'}${digits}`;
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function stringToBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  return fail(`type conversion error from 'string' to 'bool'`);
}

function bytesToString(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function stringToTimestamp(text: string): Timestamp {
  const parsed = parseDateTime(text);
  if (!parsed) return fail(`parsing time ${JSON.stringify(text)}: invalid RFC 3339 time`);
  return timestamp(parsed.nanos);
}

function stringToDuration(text: string): Duration {
  return parseGoDuration(text) ?? fail(`time: invalid duration ${JSON.stringify(text)}`);
}

const same = (value: Value): Value => value;

export const conversion: readonly Overload[] = [
  fn('int(int): int', 'int64_to_int64', same),
  fn('int(double): int', 'double_to_int64', doubleToInt),
  fn('int(string): int', 'string_to_int64', stringToInt),
  fn('int(timestamp): int', 'timestamp_to_int64', (t: Timestamp) => {
    const rest = ((t.nanos % NANOS) + NANOS) % NANOS;
    return (t.nanos - rest) / NANOS;
  }),
  fn('int(duration): int', 'duration_to_int64', (d: Duration) => d.nanos),
  fn('int(uint): int', 'uint64_to_int64', (u: Uint) => int(u.value)),
  fn('uint(uint): uint', 'uint64_to_uint64', same),
  fn('uint(double): uint', 'double_to_uint64', doubleToUint),
  fn('uint(int): uint', 'int64_to_uint64', (i: bigint) => uint(i)),
  fn('uint(string): uint', 'string_to_uint64', stringToUint),
  fn('double(double): double', 'double_to_double', same),
  fn('double(int): double', 'int64_to_double', (i: bigint) => Number(i)),
  fn('double(string): double', 'string_to_double', stringToDouble),
  fn('double(uint): double', 'uint64_to_double', (u: Uint) => Number(u.value)),
  fn('string(string): string', 'string_to_string', same),
  fn('string(bool): string', 'bool_to_string', (b: boolean) => String(b)),
  fn('string(bytes): string', 'bytes_to_string', bytesToString),
  fn('string(double): string', 'double_to_string', formatDouble),
  fn('string(duration): string', 'duration_to_string', formatDuration),
  fn('string(int): string', 'int64_to_string', (i: bigint) => String(i)),
  fn('string(timestamp): string', 'timestamp_to_string', formatTimestamp),
  fn('string(uint): string', 'uint64_to_string', (u: Uint) => String(u.value)),
  fn('bytes(bytes): bytes', 'bytes_to_bytes', same),
  fn('bytes(string): bytes', 'string_to_bytes', (s: string) => new Uint8Array(Buffer.from(s))),
  fn('bool(bool): bool', 'bool_to_bool', same),
  fn('bool(string): bool', 'string_to_bool', stringToBool),
  fn('timestamp(timestamp): timestamp', 'timestamp_to_timestamp', same),
  fn('timestamp(int): timestamp', 'int64_to_timestamp', (i: bigint) => timestamp(i * NANOS)),
  fn('timestamp(string): timestamp', 'string_to_timestamp', stringToTimestamp),
  fn('duration(duration): duration', 'duration_to_duration', same),
  fn('duration(int): duration', 'int64_to_duration', (i: bigint) => new Duration(int(i))),
  fn('duration(string): duration', 'string_to_duration', stringToDuration),
  fn('dyn(A): dyn', 'to_dyn', same),
  fn('type(A): type(A)', 'type', (value: Value) => new TypeValue(typeNameOf(value))),
];
