import { goTypeName, refName, structOf, unionOf } from './schema.js';
import type { Schema, Union } from './schema.js';
import type { SchemaLookup } from './schema-registry.js';

export interface FieldProblems {
  /** Paths of fields the kind does not have: `spec.bogus`, `spec.containers[0].imag`. */
  readonly unknownFields: readonly string[];
  /** The first value of the wrong type, as Go's decoder words it. */
  readonly typeError?: string;
  /** The same, as Go's converter of unstructured objects words it, where it has words of its own. */
  readonly conversionError?: string;
}

/** Unknown fields that are told (sigs.k8s.io/json internal/golang/encoding/json:maxSavedErrors). */
const MAX_UNKNOWN = 100;

export type FieldCheck = (value: unknown) => FieldProblems;

/** Where the walk is; printed for what is wrong alone. A list's entry has its index for a key. */
interface Place {
  readonly above: Place | undefined;
  readonly key: string | number;
  /** The key is one of a map, which Go's type errors pass over. */
  readonly isEntry?: boolean;
  /** The struct that Go's type errors name. */
  readonly struct: string;
}

/** For strict errors: `spec.containers[0].image`. */
function pathOf({ above, key }: Place): string {
  if (!above) return '';
  const before = pathOf(above);
  if (typeof key === 'number') return `${before}[${key}]`;
  return before === '' ? key : `${before}.${key}`;
}

/** For Go's type errors: `spec.containers.image`. */
function namesOf({ above, key, isEntry }: Place): string {
  if (!above) return '';
  const before = namesOf(above);
  if (isEntry || typeof key === 'number') return before;
  return before === '' ? key : `${before}.${key}`;
}

interface Found {
  readonly unknownFields: string[];
  typeError?: string;
  conversionError?: string;
  /** A type that decodes itself has failed, which ends the decoding at once; what was found before is forgotten. */
  hasEnded?: boolean;
}

/** `fits` says of most values at once that nothing is wrong with them, without asking where they are. */
interface Check {
  (value: unknown, place: Place, found: Found): void;
  readonly fits?: (value: unknown) => boolean;
}

type PlainObject = Record<string, unknown>;
const isPlain = (value: unknown): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

/** What `reflect` calls the kind of a decoded value. */
function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'map' : typeof value;
}

/** apimachinery pkg/runtime/converter.go:fromUnstructured */
function conversionProblem(value: unknown, goType: string): string | undefined {
  const kind = goKindOf(value);
  if (goType.startsWith('map[')) return `cannot restore map from ${kind}`;
  if (goType.startsWith('[]')) return `cannot restore slice from ${kind}`;
  if (!/^(string|bool|int32|int64|float64)$/.test(goType)) {
    return `cannot restore struct from: ${kind}`;
  }
  // Go converts numbers to strings and to each other, which JSON does not.
  const isConvertible =
    (kind === 'int64' || kind === 'float64') &&
    (goType === 'string' ? kind === 'int64' : goType !== 'bool');
  return isConvertible ? `cannot convert ${kind} to ${goType}` : `unrecognized type: ${goType}`;
}

/** What a value is called that is of none of the types that fit. */
const shownAs = (value: unknown, goType: string): string =>
  typeof value === 'number' && (goType.startsWith('int') || goType === 'float64')
    ? `number ${value}`
    : jsonTypeOf(value);

function unfit(value: unknown, goType: string, place: Place): string {
  const names = namesOf(place);
  const into = names === '' ? 'value' : `struct field ${place.struct}.${names}`;
  return `json: cannot unmarshal ${shownAs(value, goType)} into Go ${into} of type ${goType}`;
}

function mismatch(value: unknown, goType: string, place: Place, found: Found): void {
  if (found.typeError !== undefined) return;
  const problem = conversionProblem(value, goType);
  if (problem !== undefined) found.conversionError = problem;
  found.typeError = unfit(value, goType, place);
}

/** What a type's own decoder says; where nothing else is said, the converter of unstructured objects hears the same. */
function end(found: Found, problem: string, toConverter = problem): void {
  if (found.hasEnded) return;
  found.hasEnded = true;
  if (found.typeError === undefined) found.conversionError = toConverter;
  found.typeError = problem;
}

/** A mismatch in such a decoder. */
const endUnfit = (value: unknown, goType: string, place: Place, found: Found): void => {
  end(found, unfit(value, goType, place), unfit(value, goType, NOWHERE));
};

const NOWHERE: Place = { above: undefined, key: '', struct: '' };

const LIMITS: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 };

const scalarCheck = (fits: (value: unknown) => boolean, goType: string): Check =>
  Object.assign(
    (value: unknown, place: Place, found: Found): void => {
      if (!fits(value)) mismatch(value, goType, place, found);
    },
    { fits },
  );

const fitsInteger =
  (format: string) =>
  (value: unknown): boolean => {
    const limit = LIMITS[format] ?? LIMITS['int64'] ?? 0;
    return typeof value === 'number' && Number.isInteger(value) && value < limit && value >= -limit;
  };

const isInt32 = fitsInteger('int32');

const integerCheck = (format: string): Check => scalarCheck(fitsInteger(format), format || 'int64');

const typeCheck = (type: 'string' | 'boolean' | 'number', goType: string): Check =>
  scalarCheck((value) => typeof value === type, goType);

const bytesCheck: Check = (value, place, found) => {
  if (typeof value !== 'string') return mismatch(value, '[]uint8', place, found);
  const stripped = value.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/=]|=[^=]|={3}/.exec(stripped);
  if (bad || stripped.length % 4 !== 0) {
    found.typeError ??= `illegal base64 data at input byte ${bad?.index ?? stripped.length - (stripped.length % 4)}`;
  }
  return undefined;
};

const timeCheck: Check = (value, place, found) => {
  if (typeof value !== 'string') return endUnfit(value, 'string', place, found);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) {
    const text = JSON.stringify(value);
    end(
      found,
      `parsing time ${text} as "2006-01-02T15:04:05Z07:00": cannot parse ${text} as "2006"`,
    );
  }
  return undefined;
};

const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)(n|u|m|k|[KMGTPE]i?|[eE][+-]?\d+)?$/;
const quantityCheck: Check = (value, _place, found) => {
  if (typeof value === 'number') return;
  if (typeof value !== 'string' || !QUANTITY.test(value)) {
    end(
      found,
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
};

const intOrStringCheck: Check = (value, place, found) => {
  if (typeof value === 'string') return;
  if (!isInt32(value)) endUnfit(value, 'int32', place, found);
};

const anything: Check = () => undefined;

const SPECIAL: Readonly<Record<string, Check>> = {
  'apis.meta.v1.Time': timeCheck,
  'apis.meta.v1.MicroTime': timeCheck,
  'api.resource.Quantity': quantityCheck,
  'util.intstr.IntOrString': intOrStringCheck,
  'runtime.RawExtension': anything,
  'apis.meta.v1.FieldsV1': anything,
};

/** Compiles a definition to a check for unknown fields and Go-like type errors. */
export function compileCheck(schemas: SchemaLookup, name: string): FieldCheck {
  const known = new Map<string, Check>();

  const ofDefinition = (definition: string): Check => {
    const existing = known.get(definition);
    if (existing) return existing;
    let compiled: Check = anything;
    known.set(definition, (value, place, found) => compiled(value, place, found));
    const union = unionOf(definition);
    compiled = union
      ? unionCheck(union, ofDefinition(union.of))
      : (specialOf(definition) ?? ofSchema(structOf(schemas, definition), goName(definition)));
    known.set(definition, compiled);
    return compiled;
  };

  const ofSchema = (schema: Schema | undefined, goType: string): Check => {
    if (!schema) return anything;
    if (schema.$ref !== undefined) return ofDefinition(refName(schema.$ref));
    if (schema['x-kubernetes-int-or-string']) return intOrStringCheck;
    switch (schema.type) {
      case 'string':
        return schema.format === 'byte' ? bytesCheck : typeCheck('string', 'string');
      case 'integer':
        return integerCheck(schema.format ?? 'int64');
      case 'number':
        return typeCheck('number', 'float64');
      case 'boolean':
        return typeCheck('boolean', 'bool');
      case 'array':
        return listCheck(ofSchema(schema.items, ''), `[]${goTypeOf(schema.items)}`);
      default:
        return objectCheck(schema, goType);
    }
  };

  const objectCheck = (schema: Schema, goType: string): Check => {
    if (schema['x-kubernetes-preserve-unknown-fields']) return anything;
    if (schema.properties) return structCheck(schema.properties, goType, ofSchema);
    const values = schema.additionalProperties;
    if (typeof values !== 'object') return anything;
    return mapCheck(ofSchema(values, ''), `map[string]${goTypeOf(values)}`);
  };

  const root = ofDefinition(name);
  return (value) => {
    const found: Found = { unknownFields: [] };
    root(value, { above: undefined, key: '', struct: goTypeName(name) }, found);
    return found;
  };
}

/** `v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`: how Go prints the type. */
const goName = (definition: string): string => definition.split('.').slice(-2).join('.');

function goTypeOf(schema: Schema | undefined): string {
  if (schema?.$ref !== undefined) return goName(refName(schema.$ref));
  if (schema?.type === 'integer') return schema.format ?? 'int64';
  if (schema?.format === 'byte') return '[]uint8';
  return schema?.type === 'boolean' ? 'bool' : (schema?.type ?? 'interface {}');
}

const specialOf = (definition: string): Check | undefined =>
  Object.entries(SPECIAL).find(([suffix]) => definition.endsWith(suffix))?.[1];

/** Such types decode themselves: the first mismatch in them ends the decoding, and nobody tells of unknown fields below. */
function unionCheck({ others }: Union, check: Check): Check {
  return (value, place, found) => {
    const inner: Found = { unknownFields: [] };
    if (isPlain(value)) check(value, place, inner);
    else if (others === 'boolean') {
      if (typeof value !== 'boolean') inner.typeError = 'boolean or JSON schema expected';
    } else if (Array.isArray(value)) {
      const item = others === 'strings' ? typeCheck('string', 'string') : check;
      for (const one of value) if (one !== null) item(one, place, inner);
    }
    if (inner.typeError !== undefined) end(found, inner.typeError);
  };
}

function listCheck(item: Check, goType: string): Check {
  return (value, place, found) => {
    if (value === null || value === undefined) return;
    if (!Array.isArray(value)) return mismatch(value, goType, place, found);
    value.forEach((entry: unknown, i) => {
      if (entry !== null && !item.fits?.(entry))
        item(entry, { above: place, key: i, struct: place.struct }, found);
    });
  };
}

function mapCheck(item: Check, goType: string): Check {
  return (value, place, found) => {
    if (!isPlain(value)) return mismatch(value, goType, place, found);
    for (const key of Object.keys(value)) {
      const entry = value[key];
      if (entry !== null && !item.fits?.(entry))
        item(entry, { above: place, key, isEntry: true, struct: place.struct }, found);
    }
  };
}

function structCheck(
  properties: Readonly<Record<string, Schema>>,
  goType: string,
  compile: (schema: Schema, goType: string) => Check,
): Check {
  const struct = goType.split('.').at(-1) ?? goType;
  let fields: Map<string, Check> | undefined;
  return (value, place, found) => {
    if (!isPlain(value)) return mismatch(value, goType, place, found);
    fields ??= new Map(Object.entries(properties).map(([key, field]) => [key, compile(field, '')]));
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      if (field) {
        const entry = value[key];
        if (entry !== null && entry !== undefined && !field.fits?.(entry))
          field(entry, { above: place, key, struct }, found);
      } else if (found.unknownFields.length < MAX_UNKNOWN)
        found.unknownFields.push(pathOf({ above: place, key, struct }));
    }
  };
}
