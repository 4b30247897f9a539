import { Reader } from 'protobufjs';
import type { Field as ProtoField, MapField, Root, Type, Writer } from 'protobufjs';
import type { SchemaLookup } from '../schema/schema-registry.js';
import { MAX_VALUES, tooManyValues } from '../codec/decode-error.js';
import { setOwn } from '../schema/normalize.js';
import type { Steps } from '../steps.js';
import { isPointerField } from './pointer-fields.js';
import { MAX_MESSAGE_DEPTH, ProtobufError } from './protobuf-error.js';
import { specialMessage, unionMessage } from './special-messages.js';
import { isPlain, readBytes, SCALARS, TypeMismatch } from './wire-types.js';
import type { Converter } from './wire-types.js';

type PlainObject = Record<string, unknown>;
type Shape = 'single' | 'list' | 'map' | 'inline';

interface Field {
  readonly id: number;
  /** The name in JSON. */
  readonly name: string;
  readonly shape: Shape;
  readonly converter: Converter;
  readonly keepsZero: boolean;
}

/** A message with field access: what a root decode needs beyond the field conversion. */
export interface MessageConverter extends Converter {
  readBody(reader: Reader, depth: number, into: PlainObject): PlainObject;
  writeBody(writer: Writer, value: unknown, depth: number): void;
  /** The same at the top, with a step within maps of very many fields and behind them. */
  writeBodySteps(writer: Writer, value: unknown): Steps<void>;
}

/** Fields of a map that are written in one go. */
const WIDE = 2000;

const schemaNameOf = (message: string): string =>
  message
    .replace(/^k8s\.io\./, 'io.k8s.')
    .replace('apiextensions_apiserver', 'apiextensions-apiserver');

const squeezed = (name: string): string => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();

/** Values that the decode under way may still read: two bytes can be a message. */
class ValueBudget {
  left = MAX_VALUES;

  spend(): void {
    this.left -= 1;
    if (this.left < 0) throw tooManyValues(MAX_VALUES);
  }
}

/** Compiles messages to converters, each once; recursive types refer to themselves lazily. */
export class MessageCompiler {
  private readonly compiled = new Map<string, MessageConverter>();
  private readonly budget = new ValueBudget();

  constructor(
    private readonly root: Root,
    private readonly schemas: SchemaLookup,
  ) {}

  /** To be called before each decode: from here on, values are counted anew. */
  begin(): void {
    this.budget.left = MAX_VALUES;
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  message(name: string): MessageConverter {
    const known = this.compiled.get(name);
    if (known) return known;
    const type = this.find(name);
    if (!type) throw new ProtobufError(`no message named ${name}`);
    const converter = messageConverter(this.lazyFields(type), this.budget);
    this.compiled.set(name, converter);
    return converter;
  }

  private find(name: string): Type | undefined {
    const found = this.root.lookup(name);
    return found && 'fieldsArray' in found ? (found as Type) : undefined;
  }

  private lazyFields(type: Type): () => readonly Field[] {
    let fields: readonly Field[] | undefined;
    return () =>
      (fields ??= type.fieldsArray
        .map((field) => this.field(type, field))
        .sort((a, b) => a.id - b.id));
  }

  private field(type: Type, field: ProtoField): Field {
    const owner = type.fullName.slice(1);
    const schema = this.schemas.definition(schemaNameOf(owner));
    const properties = schema?.properties;
    const converter = this.converterOf(field);
    const name = jsonName(field.name, properties);
    const isInline = properties !== undefined && name === undefined && isPlainMessage(field);
    const required = schema?.required?.includes(name ?? '') ?? false;
    const hasDefault = properties?.[name ?? '']?.default !== undefined;
    return {
      id: field.id,
      name: name ?? field.name,
      shape: isInline ? 'inline' : shapeOf(field),
      converter,
      keepsZero: required || hasDefault || isPointerField(owner, field.name),
    };
  }

  private converterOf(field: ProtoField): Converter {
    const scalar = SCALARS[field.type];
    const value = scalar ?? this.typed(field);
    return field.map ? mapEntry(value, (field as unknown as MapField).keyType) : value;
  }

  private typed(field: ProtoField): Converter {
    const type = field.resolve().resolvedType;
    if (!type) throw new ProtobufError(`field ${field.fullName} has no known type`);
    const name = type.fullName.slice(1);
    const special = specialMessage(name);
    if (special) return special;
    const message = this.message(name);
    return unionMessage(name, message) ?? message;
  }
}

const isPlainMessage = (field: ProtoField): boolean =>
  shapeOf(field) === 'single' && SCALARS[field.type] === undefined;

const shapeOf = (field: ProtoField): Shape => {
  if (field.map) return 'map';
  return field.repeated ? 'list' : 'single';
};

function jsonName(
  name: string,
  properties: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  if (!properties) return name;
  if (Object.hasOwn(properties, name)) return name;
  return Object.keys(properties).find((key) => squeezed(key) === squeezed(name));
}

/** One entry of a map: key in field 1, value in field 2; read as a pair. */
function mapEntry(value: Converter, keyType: string): Converter {
  if (keyType !== 'string') throw new ProtobufError('only maps by string are known');
  return {
    wireType: 2,
    read: (reader, depth) => {
      const inner = Reader.create(readBytes(reader));
      let [key, entry]: [string, unknown] = ['', undefined];
      while (inner.pos < inner.len) {
        const tag = inner.uint32();
        if (tag === 10) key = Buffer.from(readBytes(inner)).toString('utf8');
        else if (tag === ((2 << 3) | value.wireType)) entry = value.read(inner, depth) ?? null;
        else inner.skipType(tag & 7);
      }
      return [key, entry];
    },
    write: (writer, pair, depth) => {
      const [key, entry] = pair as [string, unknown];
      writer.fork().uint32(10).string(key);
      writer.uint32((2 << 3) | value.wireType);
      value.write(writer, entry, depth);
      writer.ldelim();
    },
    isZero: () => false,
  };
}

function messageConverter(fieldsOf: () => readonly Field[], budget: ValueBudget): MessageConverter {
  let byId: Map<number, Field> | undefined;
  const readBody = (reader: Reader, depth: number, into: PlainObject): PlainObject => {
    if (depth > MAX_MESSAGE_DEPTH) throw new ProtobufError('message is nested too deeply');
    byId ??= new Map(fieldsOf().map((field) => [field.id, field]));
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      budget.spend();
      const field = byId.get(tag >>> 3);
      if (!field) reader.skipType(tag & 7);
      else readField(reader, field, { wireType: tag & 7, depth: depth + 1, into });
    }
    return into;
  };
  const writeBody = (writer: Writer, value: unknown, depth: number): void => {
    if (depth > MAX_MESSAGE_DEPTH) throw new ProtobufError('object is nested too deeply');
    if (!isPlain(value)) throw new TypeMismatch('not an object');
    for (const field of fieldsOf()) writeField(writer, field, value, depth + 1);
  };
  return {
    wireType: 2,
    readBody,
    writeBody,
    writeBodySteps: function* writeBodySteps(writer, value) {
      if (!isPlain(value)) throw new TypeMismatch('not an object');
      for (const field of fieldsOf())
        if (isWideMap(field, value)) yield* writeMap(writer, field, value);
        else writeField(writer, field, value, 1);
    },
    read: (reader, depth) => readBody(Reader.create(readBytes(reader)), depth, {}),
    write: (writer, value, depth) => {
      writer.fork();
      writeBody(writer, value, depth);
      writer.ldelim();
    },
    isZero: () => false,
  };
}

interface Target {
  readonly wireType: number;
  readonly depth: number;
  readonly into: PlainObject;
}

function readField(reader: Reader, field: Field, { wireType, depth, into }: Target): void {
  const { converter, name, shape } = field;
  if (wireType !== converter.wireType) {
    if (shape === 'list' && wireType === 2) return readPacked(reader, field, into);
    throw new ProtobufError(`wrong wireType = ${wireType} for field ${name}`);
  }
  const value = converter.read(reader, depth);
  if (shape === 'inline') Object.assign(into, value);
  else if (shape === 'list') listIn(into, name).push(value ?? null);
  else if (shape === 'map') {
    const [key, entry] = value as [string, unknown];
    const existing = Object.hasOwn(into, name) ? into[name] : undefined;
    const map = isPlain(existing) ? existing : {};
    setOwn(map, key, entry === undefined ? '' : entry);
    into[name] = map;
  } else if (!converter.isZero(value) || (field.keepsZero && value !== undefined)) {
    into[name] = value;
  }
  return undefined;
}

function listIn(into: PlainObject, name: string): unknown[] {
  const existing = Object.hasOwn(into, name) ? into[name] : undefined;
  if (Array.isArray(existing)) return existing;
  const list: unknown[] = [];
  into[name] = list;
  return list;
}

function readPacked(reader: Reader, field: Field, into: PlainObject): void {
  const inner = Reader.create(readBytes(reader));
  const list = listIn(into, field.name);
  while (inner.pos < inner.len) list.push(field.converter.read(inner, 0));
}

function isWideMap({ shape, name }: Field, object: PlainObject): boolean {
  if (shape !== 'map' || !Object.hasOwn(object, name)) return false;
  const value = object[name];
  return isPlain(value) && Object.keys(value).length > WIDE;
}

/** A map of very many fields, in steps. */
function* writeMap(
  writer: Writer,
  { converter, id, name }: Field,
  object: PlainObject,
): Steps<void> {
  const map = object[name] as PlainObject;
  for (const [i, key] of Object.keys(map).entries()) {
    if (i % WIDE === 0) yield;
    converter.write(writer.uint32((id << 3) | converter.wireType), [key, map[key]], 1);
  }
  yield;
}

function writeField(writer: Writer, field: Field, object: PlainObject, depth: number): void {
  const { converter, id, name, shape } = field;
  const tag = (id << 3) | converter.wireType;
  if (shape === 'inline') {
    writer.uint32(tag);
    converter.write(writer, object, depth);
    return;
  }
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  if (value === undefined || value === null) return;
  if (shape === 'map') {
    // One by one: the entries of a wide map, all at once, cost more than what is written of them.
    if (!isPlain(value)) throw new TypeMismatch(`${name} is not a map`);
    for (const key of Object.keys(value))
      converter.write(writer.uint32(tag), [key, value[key]], depth);
    return;
  }
  if (shape === 'list' && !Array.isArray(value)) throw new TypeMismatch(`${name} is not a list`);
  const items = shape === 'list' ? (value as readonly unknown[]) : [value];
  for (const item of items) converter.write(writer.uint32(tag), item, depth);
}
