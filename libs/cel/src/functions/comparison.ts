import { Duration, Timestamp, Uint } from '../values/scalars.js';
import { compareNumbers } from '../values/equality.js';
import type { Value } from '../values/value.js';
import type { Overload } from './overload.js';
import { fn } from './overload.js';

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** By code points, as Go compares UTF-8. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const isPlain = !/[\ud800-\udfff]/.test(a) && !/[\ud800-\udfff]/.test(b);
  if (isPlain) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const compareBigInts = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of two values of one kind (numbers count as one); NaN when they have none. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string') return compareStrings(a, b as string);
  if (a instanceof Timestamp || a instanceof Duration)
    return compareBigInts(a.nanos, (b as Timestamp).nanos);
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  if (typeof a === 'boolean') return Number(a) - Number(b);
  return compareNumbers(a as bigint | number | Uint, b as bigint | number | Uint);
}

const NUMBERS = ['int', 'uint', 'double'] as const;
const OTHERS = ['bool', 'string', 'bytes', 'timestamp', 'duration'] as const;
const IDS: Readonly<Record<string, string>> = { int: 'int64', uint: 'uint64' };
const idOf = (type: string): string => IDS[type] ?? type;

function relation(name: string, id: string, holds: (order: number) => boolean): Overload[] {
  const call = (a: Value, b: Value): boolean => holds(compareValues(a, b));
  const same = [...NUMBERS, ...OTHERS].map((type) =>
    fn(`${name}(${type}, ${type}): bool`, `${id}_${idOf(type)}`, call),
  );
  const mixed = NUMBERS.flatMap((left) =>
    NUMBERS.filter((right) => right !== left).map((right) =>
      fn(`${name}(${left}, ${right}): bool`, `${id}_${idOf(left)}_${idOf(right)}`, call),
    ),
  );
  return [...same, ...mixed];
}

export const comparison: readonly Overload[] = [
  ...relation('_<_', 'less', (order) => order < 0),
  ...relation('_<=_', 'less_equals', (order) => order <= 0),
  ...relation('_>_', 'greater', (order) => order > 0),
  ...relation('_>=_', 'greater_equals', (order) => order >= 0),
];
