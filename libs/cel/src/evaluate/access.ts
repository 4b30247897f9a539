import { Uint } from '../values/scalars.js';
import type { Value } from '../values/value.js';
import {
  EvaluationError,
  ListValue,
  MapValue,
  ObjectValue,
  OptionalValue,
} from '../values/value.js';

const none = new OptionalValue(undefined);

const noSuchKey = (key: Value): never => {
  const shown = key instanceof Uint ? key.value : key;
  const isPlain = typeof shown === 'string' || typeof shown === 'bigint';
  throw new EvaluationError(`no such key: ${isPlain ? shown : JSON.stringify(shown)}`);
};

const noOverload = (): never => {
  throw new EvaluationError('no such overload');
};

/** The member of a map or object; undefined when it is not there. */
export function member(value: Value, name: string): Value | undefined {
  if (value instanceof ObjectValue) return value.field(name);
  return value instanceof MapValue ? value.get(name) : noOverload();
}

/** `value.name`; of an optional it is optional. */
export function select(value: Value, name: string): Value {
  if (value instanceof OptionalValue) return selectOptional(value, name);
  return member(value, name) ?? orNull(value, name);
}

/** Absent is an error, null is not. */
function orNull(value: Value, name: string): Value {
  return member(value, name) === null ? null : noSuchKey(name);
}

/** `value.?name` */
export function selectOptional(value: Value, name: string): Value {
  const inner = value instanceof OptionalValue ? value.value : value;
  if (inner === undefined) return none;
  const found = member(inner, name);
  return found === undefined ? none : new OptionalValue(found);
}

/** `has(value.name)` */
export function has(value: Value, name: string): boolean {
  const inner = value instanceof OptionalValue ? value.value : value;
  return inner !== undefined && member(inner, name) !== undefined;
}

/** The position that a number names; undefined when it names none. */
function positionOf(index: Value): number | undefined {
  if (typeof index === 'bigint') return Number(index);
  if (index instanceof Uint) return Number(index.value);
  return typeof index === 'number' && Number.isInteger(index) ? index : undefined;
}

function element(value: Value, index: Value): Value | undefined {
  if (value instanceof ListValue) {
    const at = positionOf(index);
    if (at === undefined) return noOverload();
    return at >= 0 && at < value.size ? value.at(at) : undefined;
  }
  if (value instanceof MapValue) return value.get(index);
  if (value instanceof ObjectValue && typeof index === 'string') return value.field(index);
  return noOverload();
}

/** `value[index]`; of an optional it is optional. */
export function index(value: Value, key: Value): Value {
  if (value instanceof OptionalValue) return indexOptional(value, key);
  const found = element(value, key);
  if (found !== undefined) return found;
  if (value instanceof ListValue)
    throw new EvaluationError(`index out of bounds: ${positionOf(key) ?? 0}`);
  return noSuchKey(key);
}

/** `value[?index]` */
export function indexOptional(value: Value, key: Value): Value {
  const inner = value instanceof OptionalValue ? value.value : value;
  if (inner === undefined) return none;
  const found = element(inner, key);
  return found === undefined ? none : new OptionalValue(found);
}
