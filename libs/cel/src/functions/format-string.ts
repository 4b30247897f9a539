import { formatTimestamp } from '../values/formats.js';
import { Duration, Timestamp, Uint } from '../values/scalars.js';
import { typeNameOf } from '../values/type-of.js';
import type { Value } from '../values/value.js';
import { ListValue, MapValue, TypeValue } from '../values/value.js';
import { fail } from './overload.js';

const CLAUSE = /%(?:%|(?:\.(\d+))?([a-zA-Z]))?/g;

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const text = String(value);
  return text.includes('e') ? expand(value) : text;
}

/** A double without an exponent, in the fewest digits that name it. */
function expand(value: number): string {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const shift = Number(power);
  const digits = whole + fraction;
  const sign = value < 0 ? '-' : '';
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - 1)}${digits}`;
  return `${sign}${digits.padEnd(shift + 1, '0')}`;
}

function formatMap(map: MapValue): string {
  const parts = [...map.keys()].map((key) => `${asString(key)}: ${asString(map.get(key) ?? null)}`);
  return `{${parts.sort().join(', ')}}`;
}

/** %s */
function asString(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatNumber(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return `${formatNumber(Number(value.nanos) / 1e9)}s`;
  if (value instanceof ListValue) return `[${value.toArray().map(asString).join(', ')}]`;
  if (value instanceof MapValue) return formatMap(value);
  if (value instanceof TypeValue) return value.name;
  return fail(
    `could not convert argument ${typeNameOf(value)} to string: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`,
  );
}

function whole(value: Value, clause: string): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return value.value;
  return fail(`${clause} clause can only be used on integers, was given ${typeNameOf(value)}`);
}

function decimal(value: Value): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return formatNumber(value);
  return String(whole(value, 'decimal'));
}

function real(value: Value, clause: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  return fail(`${clause} clause can only be used on doubles, was given ${typeNameOf(value)}`);
}

function fixed(value: Value, precision: number): string {
  const number = real(value, 'fixed-point');
  return Number.isFinite(number) ? number.toFixed(precision) : formatNumber(number);
}

function scientific(value: Value, precision: number): string {
  const number = real(value, 'scientific');
  if (!Number.isFinite(number)) return formatNumber(number);
  return number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

function hex(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint' || value instanceof Uint) return whole(value, 'hex').toString(16);
  return fail(
    `only integers, byte buffers, and strings can be formatted as hex, was given ${typeNameOf(value)}`,
  );
}

const binary = (value: Value): string =>
  typeof value === 'boolean' ? String(Number(value)) : whole(value, 'binary').toString(2);

const CLAUSES: Readonly<Record<string, (value: Value, precision: number) => string>> = {
  s: asString,
  d: decimal,
  f: fixed,
  e: scientific,
  b: binary,
  x: hex,
  X: (value) => hex(value).toUpperCase(),
  o: (value) => whole(value, 'octal').toString(8),
};

/** `'%s is %d'.format([a, b])` (cel-go ext/formatting.go). */
export function formatString(format: string, args: ListValue): string {
  let used = 0;
  const text = format.replace(
    CLAUSE,
    (found, precision: string | undefined, verb: string | undefined) => {
      if (found === '%%') return '%';
      const write = verb === undefined ? undefined : CLAUSES[verb];
      if (!write) {
        if (verb === undefined) return fail('unexpected end of string');
        return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
      }
      if (used >= args.size) return fail(`index ${used} out of range`);
      used += 1;
      return write(args.at(used - 1), precision === undefined ? 6 : Number(precision));
    },
  );
  if (used < args.size) {
    return fail(
      `too many arguments supplied to string.format (expected ${used}, got ${args.size})`,
    );
  }
  return text;
}
