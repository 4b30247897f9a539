import { formatDuration, formatTimestamp } from './formats.js';
import { Duration, Timestamp, Uint } from './scalars.js';
import { typeNameOf } from './type-of.js';
import type { Value } from './value.js';
import { EvaluationError, ListValue, MapValue, ObjectValue, OptionalValue } from './value.js';

function mapToJson(map: MapValue): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const key of map.keys()) {
    if (typeof key !== 'string')
      throw new EvaluationError(`unsupported map key type ${typeNameOf(key)}`);
    Object.defineProperty(made, key, {
      value: toJson(map.get(key) ?? null),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return made;
}

/** The value as JSON: what an expression has made of an object or a patch. Throws EvaluationError. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof ListValue) return value.toArray().map(toJson);
  if (value instanceof MapValue) return mapToJson(value);
  if (value instanceof ObjectValue)
    return Object.fromEntries(
      [...value.names()].map((name) => [name, toJson(value.field(name) ?? null)]),
    );
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof OptionalValue) return value.value === undefined ? null : toJson(value.value);
  throw new EvaluationError(`cannot convert ${typeNameOf(value)} to JSON`);
}
