import type { FunctionRegistry, Overload } from '../functions/overload.js';
import { LIBRARY_TYPES } from '../types/signature.js';
import type { CelType, ObjectType } from '../types/type.js';
import { OPTIONAL, celTypes, opaque } from '../types/type.js';

/** What expressions may name. */
export interface Environment {
  /** By name; names may have dots (authorizer.requestResource). */
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: FunctionRegistry;
  /** Object types that expressions may make: `Object.spec{…}`. */
  readonly structs?: ReadonlyMap<string, ObjectType>;
  /** Whether `cel.bind(name, value, expression)` is known (cel-go ext/bindings.go). */
  readonly bindings?: boolean;
}

/** What a name means. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'type'; readonly name: string };

/** What the checker has found out about the nodes of an expression, by id. */
export interface Checked {
  readonly types: ReadonlyMap<number, CelType>;
  readonly references: ReadonlyMap<number, Reference>;
  /** Overloads that fit the types of a call's arguments. */
  readonly overloads: ReadonlyMap<number, readonly Overload[]>;
  /** Calls whose target is a part of the function's name. */
  readonly qualified: ReadonlyMap<number, string>;
}

const VALUE_TYPES: Readonly<Record<string, CelType>> = {
  bool: celTypes.bool,
  int: celTypes.int,
  uint: celTypes.uint,
  double: celTypes.double,
  string: celTypes.string,
  bytes: celTypes.bytes,
  null_type: celTypes.null,
  dyn: celTypes.dyn,
  list: { kind: 'list', element: celTypes.dyn },
  map: { kind: 'map', key: celTypes.dyn, value: celTypes.dyn },
  type: { kind: 'type' },
  'google.protobuf.Timestamp': celTypes.timestamp,
  'google.protobuf.Duration': celTypes.duration,
  [OPTIONAL]: opaque(OPTIONAL, celTypes.dyn),
};

const LIBRARY_NAMES = new Set(Object.values(LIBRARY_TYPES));

/** The type that a name stands for where a value is wanted: `type(x) == string`. */
export function typeNamed(name: string): CelType | undefined {
  const plain = name.replace(/^\./, '');
  if (Object.hasOwn(VALUE_TYPES, plain)) return VALUE_TYPES[plain];
  return LIBRARY_NAMES.has(plain) ? opaque(plain) : undefined;
}
