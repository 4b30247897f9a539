import { Duration, Timestamp, Uint } from './scalars.js';
import type { Value } from './value.js';
import {
  ListValue,
  MapValue,
  ObjectValue,
  OpaqueValue,
  OptionalValue,
  TypeValue,
} from './value.js';

type Meter = (cost: number) => void;
const free: Meter = () => undefined;

const isNumber = (value: Value): value is bigint | number | Uint =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;

/** -1, 0 or 1; NaN when one of them is. */
export function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (Number.isNaN(left) || Number.isNaN(right)) return NaN;
  return left < right ? -1 : left > right ? 1 : 0;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function equalInOrder(a: ListValue, b: ListValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  for (let i = 0; i < a.size; i++) if (!equalValues(a.at(i), b.at(i), meter)) return false;
  return true;
}

/** Sets are equal when each has what the other has; the order says nothing. */
function equalSets(a: ListValue, b: ListValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  const right = b.toArray();
  return a.toArray().every((one) => right.some((other) => equalValues(one, other, meter)));
}

/** The composite key of an element of a list of type map, as text. */
export function listMapKey(element: unknown, keys: readonly string[]): string {
  const json = (element ?? {}) as Record<string, unknown>;
  return JSON.stringify(keys.map((key) => json[key]));
}

function equalMapLists(a: ListValue, b: ListValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  const byKey = new Map(b.items.map((item, i) => [listMapKey(item, a.mapKeys), i]));
  return a.items.every((item, i) => {
    const other = byKey.get(listMapKey(item, a.mapKeys));
    return other !== undefined && equalValues(a.at(i), b.at(other), meter);
  });
}

function equalLists(a: ListValue, b: ListValue, meter: Meter): boolean {
  if (a.listType === 'set') return equalSets(a, b, meter);
  // What an expression made has no keys to go by.
  if (a.listType === 'map' && b.listType === 'map') return equalMapLists(a, b, meter);
  return equalInOrder(a, b, meter);
}

function equalMaps(a: MapValue, b: MapValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const other = b.get(key);
    const own = a.get(key);
    if (other === undefined || own === undefined || !equalValues(own, other, meter)) return false;
  }
  return true;
}

function equalObjects(a: ObjectValue, b: ObjectValue, meter: Meter): boolean {
  const names = [...a.names()];
  if (names.length !== [...b.names()].length) return false;
  return names.every((name) => {
    const [own, other] = [a.field(name), b.field(name)];
    return own !== undefined && other !== undefined && equalValues(own, other, meter);
  });
}

function equalOptionals(a: OptionalValue, b: OptionalValue, meter: Meter): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equalValues(a.value, b.value, meter);
}

function equalScalars(a: Value, b: Value): boolean {
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b);
  return a instanceof TypeValue && b instanceof TypeValue && a.name === b.name;
}

function equalStructures(a: Value, b: Value, meter: Meter): boolean {
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b, meter);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b, meter);
  if (a instanceof ObjectValue) return b instanceof ObjectValue && equalObjects(a, b, meter);
  if (a instanceof OpaqueValue)
    return b instanceof OpaqueValue && a.typeName === b.typeName && a.equals(b);
  if (a instanceof OptionalValue) return b instanceof OptionalValue && equalOptionals(a, b, meter);
  return equalScalars(a, b);
}

/** CEL's `==` with Kubernetes' meaning for lists of type set and map; `meter` is told of each comparison. */
export function equalValues(a: Value, b: Value, meter: Meter = free): boolean {
  meter(1);
  if (a === b) return !(typeof a === 'number' && Number.isNaN(a));
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (a === null || b === null || typeof a !== 'object') return false;
  return equalStructures(a, b, meter);
}
