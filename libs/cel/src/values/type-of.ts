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
import type { CelType } from '../types/type.js';
import { OPTIONAL } from '../types/type.js';

const PRIMITIVES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  bigint: 'int',
  number: 'double',
  string: 'string',
};

/** The name of a value's type, as `type(x)` has it and as errors print it. */
export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type';
  const primitive = PRIMITIVES[typeof value];
  if (primitive !== undefined) return primitive;
  if (value instanceof ListValue) return 'list';
  if (value instanceof MapValue) return 'map';
  if (value instanceof ObjectValue || value instanceof OpaqueValue) return value.typeName;
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof OptionalValue) return OPTIONAL;
  return value instanceof TypeValue ? 'type' : 'dyn';
}

const SIMPLE: Readonly<Record<string, (value: Value) => boolean>> = {
  null: (value) => value === null,
  bool: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'bigint',
  uint: (value) => value instanceof Uint,
  double: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Uint8Array,
  timestamp: (value) => value instanceof Timestamp,
  duration: (value) => value instanceof Duration,
  list: (value) => value instanceof ListValue,
  map: (value) => value instanceof MapValue || value instanceof ObjectValue,
  type: (value) => value instanceof TypeValue,
};

/** True when a function that takes `type` may be called with the value; looks at the outside only. */
export function hasType(value: Value, type: CelType): boolean {
  if (type.kind === 'opaque') return typeNameOf(value) === type.name;
  if (type.kind === 'object') return value instanceof ObjectValue || value instanceof MapValue;
  return SIMPLE[type.kind]?.(value) ?? true;
}
