import { WIRE, WireReader, WireWriter } from './wire.js';

/** A field as the definition has it (gen/cri.json, in the form of protobufjs). */
export interface FieldDefinition {
  readonly type: string;
  readonly id: number;
  readonly rule?: string;
  readonly keyType?: string;
}

type Plain = Record<string, unknown>;

/** How values of one type are read and written. */
export interface ValueType {
  readonly wire: number;
  /** Said where a message has none; undefined for messages, which are then absent. */
  readonly initial: unknown;
  /** Whether it may be left out, since a reader puts it in. */
  isInitial(value: unknown): boolean;
  write(value: unknown, writer: WireWriter): void;
  read(reader: WireReader): unknown;
}

/** Nanoseconds since the epoch are decimal strings; other 64-bit integers numbers (see tools/generate.mjs). */
const NANOSECONDS = new Set(['createdAt', 'startedAt', 'finishedAt', 'timestamp']);

const integerOf = (value: unknown): number | bigint =>
  typeof value === 'string' ? BigInt(value) : (value as number | bigint);

const integers = (read: (bits: bigint) => unknown, initial: unknown): ValueType => ({
  wire: WIRE.varint,
  initial,
  isInitial: (value) => Number(value) === 0,
  write: (value, writer) => {
    writer.integer(integerOf(value));
  },
  read: (reader) => read(reader.integer()),
});

const INT64: ValueType = integers((bits) => Number(BigInt.asIntN(64, bits)), 0);
const UINT64: ValueType = integers(Number, 0);
const INT64_TEXT: ValueType = integers((bits) => String(BigInt.asIntN(64, bits)), '0');

const SCALARS: Readonly<Record<string, ValueType>> = {
  int32: integers((bits) => Number(BigInt.asIntN(32, bits)), 0),
  uint32: integers((bits) => Number(BigInt.asUintN(32, bits)), 0),
  int64: INT64,
  uint64: UINT64,
  bool: {
    wire: WIRE.varint,
    initial: false,
    isInitial: (value) => !value,
    write: (value, writer) => {
      writer.integer(value ? 1 : 0);
    },
    read: (reader) => reader.integer() !== 0n,
  },
  double: {
    wire: WIRE.fixed64,
    initial: 0,
    isInitial: (value) => Object.is(value, 0),
    write: (value, writer) => {
      writer.double(value as number);
    },
    read: (reader) => reader.double(),
  },
  string: {
    wire: WIRE.length,
    initial: '',
    isInitial: (value) => value === '',
    write: (value, writer) => {
      writer.text(String(value));
    },
    read: (reader) => reader.text(),
  },
  bytes: {
    wire: WIRE.length,
    initial: Buffer.alloc(0),
    isInitial: (value) => (value as Uint8Array).length === 0,
    write: (value, writer) => {
      writer.bytes(value as Uint8Array);
    },
    read: (reader) => Buffer.from(reader.bytes()),
  },
};

/** A type without a name of its own; undefined when it is an enum or a message. */
export function scalarOf(type: string, field: string): ValueType | undefined {
  if (!NANOSECONDS.has(field)) return SCALARS[type];
  return type === 'int64' ? INT64_TEXT : SCALARS[type];
}

/** An enum: the names of its values; a number that has none stays a number. */
export function enumType(values: Readonly<Record<string, number>>): ValueType {
  const names = new Map(Object.entries(values).map(([name, number]) => [number, name]));
  const numberOf = (value: unknown): number =>
    typeof value === 'number' ? value : (values[String(value)] ?? 0);
  return {
    wire: WIRE.varint,
    initial: names.get(0) ?? 0,
    isInitial: (value) => numberOf(value) === 0,
    write: (value, writer) => {
      writer.integer(numberOf(value));
    },
    read: (reader) => {
      const number = Number(BigInt.asIntN(32, reader.integer()));
      return names.get(number) ?? number;
    },
  };
}

interface Field {
  readonly id: number;
  readonly name: string;
  readonly type: ValueType;
  readonly shape: 'one' | 'list' | 'map';
}

/**
 * A message, interpreted by its definition. A library that makes code of each type at its first use would take a third of
 * the start of a node for that.
 */
export class MessageType implements ValueType {
  readonly wire = WIRE.length;
  readonly initial = undefined;
  private byId: Map<number, Field> | undefined;
  private byName: Map<string, Field> | undefined;

  constructor(
    private readonly definitions: Readonly<Record<string, FieldDefinition>>,
    private readonly typeOf: (type: string, field: string) => ValueType,
  ) {}

  isInitial(): boolean {
    return false;
  }

  encode(message: object): Buffer {
    const writer = new WireWriter();
    const fields = this.fields();
    for (const [name, value] of Object.entries(message)) {
      const field = fields.get(name);
      if (field && value !== undefined && value !== null) writeField(field, value, writer);
    }
    return writer.finish();
  }

  decode(bytes: Uint8Array): Plain {
    return this.read(new WireReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
  }

  write(value: unknown, writer: WireWriter): void {
    writer.bytes(this.encode(value as object));
  }

  read(reader: WireReader): Plain {
    const message: Plain = {};
    for (const { name, shape, type } of this.fields().values())
      if (shape === 'list') message[name] = [];
      else if (shape === 'map') message[name] = {};
      else if (type.initial !== undefined) message[name] = type.initial;
    while (!reader.isOver) {
      const key = reader.small();
      const field = this.byId?.get(Math.floor(key / 8));
      if (field) readField(field, key % 8, reader, message);
      else reader.skip(key % 8);
    }
    return message;
  }

  private fields(): ReadonlyMap<string, Field> {
    if (this.byName) return this.byName;
    const fields = Object.entries(this.definitions).map(([name, { id, type, rule, keyType }]) => ({
      id,
      name,
      type: this.typeOf(type, name),
      shape: keyType
        ? ('map' as const)
        : rule === 'repeated'
          ? ('list' as const)
          : ('one' as const),
    }));
    this.byId = new Map(fields.map((field) => [field.id, field]));
    this.byName = new Map(fields.map((field) => [field.name, field]));
    return this.byName;
  }
}

/** Maps are lists of entries: the key, which is text, is field 1, the value field 2. */
const [KEY, VALUE] = [1, 2] as const;

function writeField({ id, type, shape }: Field, value: unknown, writer: WireWriter): void {
  if (shape === 'map')
    for (const [key, each] of Object.entries(value as Plain))
      writeEntry(id, type, key, each, writer);
  else if (shape === 'one') {
    if (type.isInitial(value)) return;
    writer.tag(id, type.wire);
    writeValue(type, value, writer);
  } else writeList(id, type, value as readonly unknown[], writer);
}

function writeList(
  id: number,
  type: ValueType,
  values: readonly unknown[],
  writer: WireWriter,
): void {
  if (type.wire === WIRE.length)
    for (const value of values) {
      writer.tag(id, type.wire);
      writeValue(type, value, writer);
    }
  else if (values.length > 0) {
    const packed = new WireWriter();
    for (const value of values) type.write(value, packed);
    writer.tag(id, WIRE.length);
    writer.bytes(packed.finish());
  }
}

function writeEntry(
  id: number,
  type: ValueType,
  key: string,
  value: unknown,
  writer: WireWriter,
): void {
  const entry = new WireWriter();
  entry.tag(KEY, WIRE.length);
  entry.text(key);
  entry.tag(VALUE, type.wire);
  writeValue(type, value, entry);
  writer.tag(id, WIRE.length);
  writer.bytes(entry.finish());
}

const writeValue = (type: ValueType, value: unknown, writer: WireWriter): void => {
  type.write(value, writer);
};

function readField(field: Field, wire: number, reader: WireReader, message: Plain): void {
  const { name, type, shape } = field;
  if (shape === 'map') {
    const [key, value] = readEntry(type, reader.inner());
    // Not by assignment: a key may be called __proto__.
    Object.defineProperty(message[name], key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else if (shape === 'list') readList(type, wire, reader, message[name] as unknown[]);
  else message[name] = readValue(type, wire, reader);
}

function readList(type: ValueType, wire: number, reader: WireReader, list: unknown[]): void {
  if (wire !== WIRE.length || type.wire === WIRE.length) {
    list.push(readValue(type, wire, reader));
    return;
  }
  const packed = reader.inner();
  while (!packed.isOver) list.push(type.read(packed));
}

function readEntry(type: ValueType, entry: WireReader): [key: string, value: unknown] {
  let key = '';
  let value = type.initial;
  while (!entry.isOver) {
    const tag = entry.small();
    if (tag === KEY * 8 + WIRE.length) key = entry.text();
    else if (Math.floor(tag / 8) === VALUE) value = readValue(type, tag % 8, entry);
    else entry.skip(tag % 8);
  }
  return [key, value];
}

function readValue(type: ValueType, wire: number, reader: WireReader): unknown {
  if (wire !== type.wire) throw new RangeError(`wire type ${wire} where ${type.wire} belongs`);
  return type instanceof MessageType ? type.read(reader.inner()) : type.read(reader);
}
