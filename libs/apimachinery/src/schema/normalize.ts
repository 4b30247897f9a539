import { isPointerField } from '../protobuf/pointer-fields.js';
import { canonicalQuantity, QuantityError } from '../quantity.js';
import type { SchemaLookup } from './schema-registry.js';
import { goTypeName, refName, structOf, unionOf } from './schema.js';
import type { Schema, Union } from './schema.js';
import { isLeftOut, writtenZero, zeroOf } from './written-zeros.js';

export type Normalizer = (value: unknown) => unknown;

type PlainObject = Record<string, unknown>;
const isPlain = (value: unknown): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const keep: Normalizer = (value) => value;

/** Assigns as own data even for `__proto__`. */
export function setOwn(target: PlainObject, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else target[key] = value;
}

/** RFC 3339 in UTC; MicroTime keeps six digits, Time none (metav1.Time.MarshalJSON). */
function timeNormalizer(digits: 0 | 6): Normalizer {
  const canonical = digits === 0 ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ : /\.\d{6}Z$/;
  return (value) => {
    if (typeof value !== 'string' || canonical.test(value)) return value;
    const time = new Date(value);
    if (Number.isNaN(time.getTime())) return value;
    const seconds = time.toISOString().slice(0, 19);
    if (digits === 0) return `${seconds}Z`;
    const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
    return `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
  };
}

const normalizeQuantity: Normalizer = (value) => {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  try {
    return canonicalQuantity(value);
  } catch (error) {
    if (error instanceof QuantityError) return value;
    throw error;
  }
};

/** Compiles a definition to a closure that copies only what Go would write again after decoding. */
export function compileNormalizer(schemas: SchemaLookup, name: string): Normalizer {
  const known = new Map<string, Normalizer>();

  const ofDefinition = (definition: string): Normalizer => {
    const existing = known.get(definition);
    if (existing) return existing;
    let compiled: Normalizer | undefined;
    const lazy: Normalizer = (value) => (compiled ?? keep)(value);
    known.set(definition, lazy);
    const union = unionOf(definition);
    compiled = union
      ? unionNormalizer(union, ofDefinition(union.of))
      : (special(definition) ?? ofSchema(structOf(schemas, definition), definition));
    known.set(definition, compiled);
    return compiled;
  };

  const ofSchema = (schema: Schema | undefined, definition = ''): Normalizer => {
    if (!schema) return keep;
    if (schema.$ref !== undefined) return ofDefinition(refName(schema.$ref));
    if (schema.type === 'array')
      return listNormalizer(ofSchema(schema.items), zeroOf(schema.items ?? {}));
    if (schema['x-kubernetes-preserve-unknown-fields']) return keep;
    if (schema.properties) return structNormalizer({ schema, definition }, ofSchema);
    if (typeof schema.additionalProperties === 'object') {
      const values = schema.additionalProperties;
      return mapNormalizer(ofSchema(values), zeroOf(values));
    }
    return keep;
  };

  return ofDefinition(name);
}

function special(definition: string): Normalizer | undefined {
  const type = goTypeName(definition);
  if (type === 'Time' && definition.includes('.meta.')) return timeNormalizer(0);
  if (type === 'MicroTime') return timeNormalizer(6);
  if (type === 'Quantity') return normalizeQuantity;
  return undefined;
}

const isNull = (value: unknown): boolean => value === null;

/** What is neither is nothing, which Go writes as null. */
function unionNormalizer({ others }: Union, struct: Normalizer): Normalizer {
  return (value) => {
    if (isPlain(value)) return struct(value);
    if (others === 'boolean') return value;
    if (!Array.isArray(value) || value.length === 0) return null;
    return value.map((one: unknown) => (others === 'list' ? struct(one ?? {}) : (one ?? '')));
  };
}

/** `zero` is what Go's decoder makes of a null among the items. */
function listNormalizer(item: Normalizer, zero: unknown): Normalizer {
  if (item === keep) {
    return (value) =>
      Array.isArray(value) && value.some(isNull)
        ? value.map((entry: unknown) => entry ?? zero)
        : value;
  }
  return (value) =>
    Array.isArray(value) ? value.map((entry: unknown) => item(entry ?? zero)) : value;
}

/** Fields of a map from which on it is only copied where something changes: the copy is what takes long. */
const WIDE = 1000;

function mapNormalizer(item: Normalizer, zero: unknown): Normalizer {
  const normalize = (value: unknown): unknown => item(value ?? zero);
  return (value) => {
    if (!isPlain(value)) return value;
    const keys = Object.keys(value);
    if (keys.length > WIDE && keys.every((key) => normalize(value[key]) === value[key]))
      return value;
    const copy: PlainObject = {};
    for (const key of keys) setOwn(copy, key, normalize(value[key]));
    return copy;
  };
}

interface FieldNormalizer {
  readonly normalize: Normalizer;
  /** True of a value that Go leaves out (json omitempty): an empty list or map, zero in a plain scalar. */
  readonly omits: (value: unknown) => boolean;
}

const never = (): boolean => false;

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isPlain(value) && Object.keys(value).length === 0;

const isZero = (value: unknown): boolean => value === false || value === 0 || value === '';

/** Lists that are not the same empty as absent: one must not be, one ends the tracking of fields. */
const KEPT_EMPTY = new Set(['HPAScalingRules.policies', 'ObjectMeta.managedFields']);

const SCALARS = new Set(['boolean', 'integer', 'string']);

/** A struct of Go, and the definition that it is. */
interface Struct {
  readonly schema: Schema;
  readonly definition: string;
}

function omitRule(
  { schema, definition }: Struct,
  key: string,
  field: Schema,
): (value: unknown) => boolean {
  // Go's protobuf, in which objects are stored, knows no empty list or map: those without omitempty come back as null.
  if (KEPT_EMPTY.has(`${goTypeName(definition)}.${key}`)) return never;
  if (field.type === 'array' || typeof field.additionalProperties === 'object') return isEmpty;
  const isWritten = schema.required?.includes(key) || field.default !== undefined;
  if (isWritten && !isLeftOut(goTypeName(definition), key)) return never;
  const isPlainScalar = SCALARS.has(field.type ?? '') && definition.startsWith('io.k8s.');
  return isPlainScalar && !isPointerField(definition, key) ? isZero : never;
}

interface CompiledStruct {
  readonly fields: ReadonlyMap<string, FieldNormalizer>;
  /** Fields that Go writes though nobody set them, with what it writes. */
  readonly written: readonly (readonly [key: string, zero: () => unknown])[];
}

function compileStruct(struct: Struct, compile: (schema: Schema) => Normalizer): CompiledStruct {
  const fields = new Map<string, FieldNormalizer>();
  const written: [string, () => unknown][] = [];
  for (const [key, field] of Object.entries(struct.schema.properties ?? {})) {
    const normalize = compile(field);
    fields.set(key, { normalize, omits: omitRule(struct, key, field) });
    const zero = zeroRule(struct, key, normalize);
    if (zero) written.push([key, zero]);
  }
  return { fields, written };
}

/** What is written of a field that is absent; undefined where Go leaves it out. */
function zeroRule(
  { schema, definition }: Struct,
  key: string,
  normalize: Normalizer,
): (() => unknown) | undefined {
  if (!definition.startsWith('io.k8s.')) return undefined;
  const zero = writtenZero(schema.properties?.[key] ?? {}, {
    type: goTypeName(definition),
    key,
    isRequired: schema.required?.includes(key) ?? false,
  });
  if (zero === undefined) return undefined;
  return isPlain(zero) ? () => normalize({}) : () => zero;
}

function structNormalizer(struct: Struct, compile: (schema: Schema) => Normalizer): Normalizer {
  let compiled: CompiledStruct | undefined;
  return (value) => {
    if (!isPlain(value)) return value;
    compiled ??= compileStruct(struct, compile);
    const copy: PlainObject = {};
    for (const key of Object.keys(value)) {
      const field = compiled.fields.get(key);
      const entry = field && value[key];
      if (!field || entry === null || entry === undefined || field.omits(entry)) continue;
      copy[key] = field.normalize(entry);
    }
    for (const [key, zero] of compiled.written) if (!(key in copy)) copy[key] = zero();
    return copy;
  };
}
