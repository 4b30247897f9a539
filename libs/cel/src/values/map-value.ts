import { Uint } from './scalars.js';
import type { Value } from './value.js';
import { EvaluationError, MapValue } from './value.js';

/** The same for keys that are equal: numbers of all types are compared by value. */
function keyOf(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === 'number') return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`;
  return undefined;
}

/** A map that an expression has made. */
export class EntriesMap extends MapValue {
  private readonly entries = new Map<string, readonly [Value, Value]>();

  static of(entries: Iterable<readonly [Value, Value]>): EntriesMap {
    const map = new EntriesMap();
    for (const [key, value] of entries) map.insert(key, value);
    return map;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: Value): Value | undefined {
    const id = keyOf(key);
    return id === undefined ? undefined : this.entries.get(id)?.[1];
  }

  *keys(): Iterable<Value> {
    for (const [key] of this.entries.values()) yield key;
  }

  /** Adds an entry while the map is built. Throws when the key is there. */
  insert(key: Value, value: Value): void {
    const id = keyOf(key);
    if (id === undefined) throw new EvaluationError('unsupported key type');
    if (this.entries.has(id)) {
      const shown = typeof key === 'string' ? key : id.slice(1);
      throw new EvaluationError(`insert failed: key ${shown} already exists`);
    }
    this.entries.set(id, [key, value]);
  }
}
