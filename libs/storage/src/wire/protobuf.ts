/**
 * Protobuf and gRPC's frames, for the messages that are told to it by field: 64-bit integers are decimal strings, enums their names, a
 * message that is not there is null, without the detour of general libraries through objects of classes.
 */
type FieldType = 'bytes' | 'text' | 'int' | 'bool' | Message | Names;
/** Names of an enum, in order. */
interface Names {
  readonly names: readonly string[];
}
interface Field {
  readonly tag: number;
  readonly name: string;
  readonly type: FieldType;
  readonly repeated?: boolean;
}
export interface Message {
  readonly byName: ReadonlyMap<string, Field>;
  readonly byTag: readonly (Field | undefined)[];
  /** One of the fields is there: none has a default. */
  readonly isUnion: boolean;
}

type Plain = Record<string, unknown>;

export function message(fields: readonly Field[], isUnion = false): Message {
  const byTag: (Field | undefined)[] = [];
  for (const field of fields) byTag[field.tag] = field;
  return { byName: new Map(fields.map((field) => [field.name, field])), byTag, isUnion };
}

/** Fields with the tags 1, 2, 3 … */
export const inOrder = (
  ...fields: readonly (readonly [string, FieldType, 'repeated'?])[]
): Field[] =>
  fields.map(([name, type, repeated], i) => ({
    tag: i + 1,
    name,
    type,
    ...(repeated ? { repeated: true } : {}),
  }));

const BASE = 128;
const EMPTY = Buffer.alloc(0);

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= BASE; rest = Math.floor(rest / BASE)) size++;
  return size;
}

const isMessage = (type: FieldType): type is Message => typeof type === 'object' && 'byTag' in type;

/** A field's value as a number or bigint that is no default; undefined = nothing is written. */
function integerOf(type: FieldType, value: unknown): number | bigint | undefined {
  if (typeof value === 'boolean') return value ? 1 : undefined;
  if (typeof type === 'object' && 'names' in type) {
    const at = typeof value === 'number' ? value : type.names.indexOf(String(value));
    return at > 0 ? at : undefined;
  }
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number === 0 ? undefined : number;
  return BigInt.asUintN(64, BigInt(String(value)));
}

const bigSize = (value: bigint): number => {
  let size = 1;
  for (let rest = value; rest >= BigInt(BASE); rest /= BigInt(BASE)) size++;
  return size;
};

class Writer {
  readonly target: Buffer;
  private at = 0;

  constructor(size: number) {
    this.target = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= BASE; rest = Math.floor(rest / BASE))
      this.target[this.at++] = (rest % BASE) + BASE;
    this.target[this.at++] = rest;
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number') {
      this.varint(value);
      return;
    }
    let rest = value;
    for (; rest >= BigInt(BASE); rest /= BigInt(BASE))
      this.target[this.at++] = Number(rest % BigInt(BASE)) + BASE;
    this.target[this.at++] = Number(rest);
  }

  bytes(value: Uint8Array): void {
    this.target.set(value, this.at);
    this.at += value.length;
  }
}

/** What is to be written of one field's value. */
type Part = Buffer | number | bigint | Encoded;
interface Encoded {
  readonly size: number;
  readonly parts: readonly (readonly [tag: number, part: Part])[];
}

const isEncoded = (part: Part): part is Encoded => typeof part === 'object' && 'parts' in part;

function partOf(type: FieldType, value: unknown): Part | undefined {
  if (isMessage(type)) return plan(type, value as Plain);
  if (type !== 'bytes' && type !== 'text') return integerOf(type, value);
  const bytes = type === 'text' ? Buffer.from(value as string) : (value as Buffer);
  return bytes.length > 0 ? bytes : undefined;
}

function sizeOf(tag: number, part: Part): number {
  const head = varintSize(tag * 8);
  if (typeof part === 'number') return head + varintSize(part);
  if (typeof part === 'bigint') return head + bigSize(part);
  const size = isEncoded(part) ? part.size : part.length;
  return head + varintSize(size) + size;
}

function plan(type: Message, value: Plain): Encoded {
  const parts: (readonly [number, Part])[] = [];
  let size = 0;
  for (const name of Object.keys(value)) {
    const field = type.byName.get(name);
    const given = value[name];
    if (given === undefined || given === null) continue;
    if (!field) throw new TypeError(`the message has no field ${name}`);
    for (const each of field.repeated ? (given as readonly unknown[]) : [given]) {
      const part = partOf(field.type, each);
      if (part === undefined) continue;
      parts.push([field.tag, part]);
      size += sizeOf(field.tag, part);
    }
  }
  return { size, parts };
}

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

function write(writer: Writer, { parts }: Encoded): void {
  for (const [tag, part] of parts) {
    const isInteger = typeof part === 'number' || typeof part === 'bigint';
    writer.varint(tag * 8 + (isInteger ? VARINT : LENGTH));
    if (isInteger) {
      writer.integer(part);
    } else if (isEncoded(part)) {
      writer.varint(part.size);
      write(writer, part);
    } else {
      writer.varint(part.length);
      writer.bytes(part);
    }
  }
}

/** Length of the head of a message in gRPC: a flag and the size. */
export const FRAME_HEAD = 5;

/** A message in the frame that gRPC sends it in. */
export function encodeFrame(type: Message, value: object): Buffer {
  const encoded = plan(type, value as Plain);
  const writer = new Writer(FRAME_HEAD + encoded.size);
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUInt32BE(encoded.size, 1);
  writer.bytes(head);
  write(writer, encoded);
  return writer.target;
}

class Reader {
  constructor(
    private readonly source: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  byte(): number {
    const value = this.source[this.at++];
    if (value === undefined || this.at > this.end) throw new RangeError('the message is cut off');
    return value;
  }

  /** Lengths and tags. */
  small(): number {
    let [value, scale, byte] = [0, 1, BASE];
    while (byte >= BASE) {
      byte = this.byte();
      value += (byte % BASE) * scale;
      scale *= BASE;
    }
    return value;
  }

  integer(): string {
    const start = this.at;
    const value = this.small();
    if (value <= Number.MAX_SAFE_INTEGER) return String(value);
    let exact = 0n;
    for (let i = this.at - 1; i >= start; i--)
      exact = exact * BigInt(BASE) + BigInt((this.source[i] ?? 0) % BASE);
    return String(BigInt.asIntN(64, exact));
  }

  slice(): Buffer {
    const length = this.small();
    const start = this.at;
    this.at += length;
    if (this.at > this.end) throw new RangeError('the message is cut off');
    return this.source.subarray(start, this.at);
  }

  inner(): Reader {
    const length = this.small();
    const start = this.at;
    this.at += length;
    if (this.at > this.end) throw new RangeError('the message is cut off');
    return new Reader(this.source, start, this.at);
  }

  skip(wire: number): void {
    if (wire === VARINT) this.small();
    else if (wire === LENGTH) this.slice();
    else if (wire === FIXED64) this.at += 8;
    else if (wire === FIXED32) this.at += 4;
    else throw new RangeError(`unknown wire type ${wire}`);
  }
}

function defaultOf({ type, repeated }: Field): unknown {
  if (repeated) return [];
  if (type === 'bytes') return EMPTY;
  if (type === 'text') return '';
  if (type === 'int') return '0';
  if (type === 'bool') return false;
  return 'names' in type ? type.names[0] : null;
}

function read(type: Message, reader: Reader): Plain {
  const value: Plain = {};
  if (!type.isUnion) for (const field of type.byName.values()) value[field.name] = defaultOf(field);
  while (reader.at < reader.end) {
    const key = reader.small();
    const field = type.byTag[Math.floor(key / 8)];
    if (!field) {
      reader.skip(key % 8);
      continue;
    }
    const found = readField(field.type, reader);
    if (field.repeated) (value[field.name] as unknown[]).push(found);
    else value[field.name] = found;
  }
  return value;
}

function readField(type: FieldType, reader: Reader): unknown {
  if (type === 'bytes') return reader.slice();
  if (type === 'text') return reader.slice().toString();
  if (type === 'int') return reader.integer();
  if (type === 'bool') return reader.small() !== 0;
  return isMessage(type) ? read(type, reader.inner()) : type.names[reader.small()];
}

/** Reads a message; bytes in it are parts of `source`. */
export function decode(type: Message, source: Buffer): object {
  return read(type, new Reader(source, 0, source.length));
}
