import type { CelType } from '../types/type.js';
import type { Duration, Timestamp, Uint } from './scalars.js';

/** An error of evaluation; `&&` and `||` may do without the side that threw it. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EvaluationError';
  }
}

/** The cost budget is used up; nothing absorbs it. */
export class CostExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded');
    this.name = 'CostExceeded';
  }
}

/** A list; items of JSON are turned into values when they are asked for. */
export class ListValue {
  constructor(
    readonly items: readonly unknown[],
    private readonly toValue?: (item: unknown) => Value,
    readonly listType: 'atomic' | 'set' | 'map' = 'atomic',
    readonly mapKeys: readonly string[] = [],
    readonly element?: CelType,
  ) {}

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    const item = this.items[index];
    return this.toValue ? this.toValue(item) : (item as Value);
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let i = 0; i < this.items.length; i++) yield this.at(i);
  }

  toArray(): Value[] {
    return this.toValue ? this.items.map(this.toValue) : ([...this.items] as Value[]);
  }
}

/** A map or an object without declared fields. */
export abstract class MapValue {
  abstract readonly size: number;
  /** Undefined when there is no such key. */
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;
  /** Whether the key is there; of a map that gives something for others too, `get` does not tell. */
  has(key: Value): boolean {
    return this.get(key) !== undefined;
  }
}

/** An object whose type says which fields it has. */
export abstract class ObjectValue {
  abstract readonly typeName: string;
  /** Undefined when the field is not set; throws for one that the type does not have. */
  abstract field(name: string): Value | undefined;
  /** Names of the fields that are set. */
  abstract names(): Iterable<string>;
}

/** A value of a library's type. */
export abstract class OpaqueValue {
  abstract readonly typeName: string;
  abstract equals(other: OpaqueValue): boolean;
}

export class OptionalValue {
  constructor(readonly value: Value | undefined) {}
}

export class TypeValue {
  constructor(readonly name: string) {}
}

/** int is a bigint, double a number. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | ListValue
  | MapValue
  | ObjectValue
  | OpaqueValue
  | OptionalValue
  | TypeValue;

/** Number of Unicode code points, as CEL counts a string. */
export function stringSize(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff && i + 1 < text.length) {
      size -= 1;
      i += 1;
    }
  }
  return size;
}

/** What `size()` says; undefined for values that have none. */
export function sizeOf(value: Value): number | undefined {
  if (typeof value === 'string') return stringSize(value);
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  return value instanceof Uint8Array ? value.length : undefined;
}
