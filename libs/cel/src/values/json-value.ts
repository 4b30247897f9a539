import type { CelType, ListType, MapType, ObjectType } from '../types/type.js';
import { parseBase64, parseDate, parseDateTime, parseDuration } from './formats.js';
import type { Value } from './value.js';
import { EvaluationError, ListValue, MapValue, ObjectValue } from './value.js';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const goType = (value: unknown): string => {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
};

const invalidData = (what: string): never => {
  throw new EvaluationError(`invalid data, ${what}`);
};

/** A JSON object with values of one type, or of any. */
class JsonMap extends MapValue {
  private names: string[] | undefined;

  constructor(
    readonly json: Json,
    private readonly toValue: (item: unknown) => Value,
  ) {
    super();
  }

  private get keyList(): string[] {
    return (this.names ??= Object.keys(this.json));
  }

  get size(): number {
    return this.keyList.length;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined;
    const value = this.json[key];
    return value === undefined ? undefined : this.toValue(value);
  }

  keys(): Iterable<Value> {
    return this.keyList;
  }
}

/** A JSON object of a declared type. */
class JsonObject extends ObjectValue {
  constructor(
    readonly json: Json,
    private readonly type: ObjectType,
  ) {
    super();
  }

  get typeName(): string {
    return this.type.name;
  }

  field(name: string): Value | undefined {
    const field = this.type.fields.get(name);
    if (!field) throw new EvaluationError(`no such key: ${name}`);
    const { jsonName, type } = field;
    const value = Object.hasOwn(this.json, jsonName) ? this.json[jsonName] : undefined;
    return value === undefined ? undefined : converterFor(type)(value);
  }

  *names(): Iterable<string> {
    for (const [name, { jsonName }] of this.type.fields)
      if (Object.hasOwn(this.json, jsonName) && this.json[jsonName] !== undefined) yield name;
  }
}

/** The JSON behind a value that wraps some; undefined for values that expressions have made. */
export function jsonBehind(value: Value): unknown {
  return value instanceof JsonObject || value instanceof JsonMap ? value.json : undefined;
}

/** JSON without a schema: whole numbers are ints. */
export function dynFromJson(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return new ListValue(value, dynFromJson);
  if (isObject(value)) return new JsonMap(value, dynFromJson);
  return value as string | boolean;
}

const parsed =
  (parse: (text: string) => Value | undefined, what: string) =>
  (value: unknown): Value => {
    if (typeof value !== 'string') return invalidData(`expected string, got ${goType(value)}`);
    const result = parse(value);
    if (result === undefined) throw new EvaluationError(`Invalid ${what} ${value}`);
    return result;
  };

type Converter = (value: unknown) => Value;

const SIMPLE: Readonly<Record<string, Converter>> = {
  string: (value) =>
    typeof value === 'string' ? value : invalidData(`expected string, got ${goType(value)}`),
  bool: (value) =>
    typeof value === 'boolean' ? value : invalidData(`expected bool, got ${goType(value)}`),
  int: (value) =>
    typeof value === 'number' && Number.isInteger(value)
      ? BigInt(value)
      : invalidData(`expected int, got ${goType(value)}`),
  double: (value) =>
    typeof value === 'number' ? value : invalidData(`expected float, got ${goType(value)}`),
  bytes: parsed(parseBase64, 'byte formatted string'),
  duration: parsed(parseDuration, 'duration'),
  timestamp: parsed(
    (text) => (text.length === 10 ? parseDate(text) : parseDateTime(text)),
    'date-time formatted string',
  ),
};

const listConverter = ({ element, listType, mapKeys }: ListType): Converter => {
  const toValue = converterFor(element);
  return (value) =>
    Array.isArray(value)
      ? new ListValue(value, toValue, listType, mapKeys, element)
      : invalidData('expected an array for the provided schema with type=array');
};

const mapConverter = ({ value: type }: MapType): Converter => {
  const toValue = converterFor(type);
  return (value) =>
    isObject(value)
      ? new JsonMap(value, toValue)
      : invalidData('expected a map for the provided schema with type=object');
};

const objectConverter =
  (type: ObjectType): Converter =>
  (value) =>
    isObject(value)
      ? new JsonObject(value, type)
      : invalidData('expected a map for the provided schema with type=object');

function makeConverter(type: CelType): Converter {
  switch (type.kind) {
    case 'list':
      return listConverter(type);
    case 'map':
      return mapConverter(type);
    case 'object':
      return objectConverter(type);
    default:
      return SIMPLE[type.kind] ?? dynFromJson;
  }
}

const converters = new WeakMap<CelType, Converter>();

/** Turns JSON into values of a declared type, as far as they are looked at; null stays null. */
export function converterFor(type: CelType): Converter {
  let converter = converters.get(type);
  if (!converter) {
    const make = makeConverter(type);
    converter = (value) => (value === null || value === undefined ? null : make(value));
    converters.set(type, converter);
  }
  return converter;
}
