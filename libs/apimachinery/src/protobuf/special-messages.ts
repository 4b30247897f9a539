import { Reader } from 'protobufjs';
import { canonicalQuantity, QuantityError } from '../quantity.js';
import { ProtobufError } from './protobuf-error.js';
import { isPlain, readBytes, toNumber, TypeMismatch } from './wire-types.js';
import type { Converter } from './wire-types.js';
import type { Writer } from 'protobufjs';

type Field = readonly [id: number, kind: 'varint' | 'string' | 'bytes', value: unknown];

interface RawField {
  readonly id: number;
  readonly number: number;
  readonly bytes: Uint8Array;
}

const NONE = new Uint8Array();

/** All fields of a small message, unconverted. */
function readFields(reader: Reader): RawField[] {
  const inner = Reader.create(readBytes(reader));
  const fields: RawField[] = [];
  while (inner.pos < inner.len) {
    const tag = inner.uint32();
    const wireType = tag & 7;
    if (wireType === 0) {
      fields.push({ id: tag >>> 3, number: toNumber(inner.int64()), bytes: NONE });
    } else if (wireType === 2) {
      fields.push({ id: tag >>> 3, number: 0, bytes: readBytes(inner) });
    } else inner.skipType(wireType);
  }
  return fields;
}

function writeFields(writer: Writer, fields: readonly Field[]): void {
  writer.fork();
  for (const [id, kind, value] of fields) {
    if (kind === 'varint') writer.uint32(id << 3).int64(value as number);
    else if (kind === 'string') writer.uint32((id << 3) | 2).string(value as string);
    else writer.uint32((id << 3) | 2).bytes(value as Uint8Array);
  }
  writer.ldelim();
}

const textOf = (fields: readonly RawField[], id: number): string =>
  Buffer.from(fields.findLast((f) => f.id === id)?.bytes ?? NONE).toString('utf8');
const numberOf = (fields: readonly RawField[], id: number): number =>
  fields.findLast((f) => f.id === id)?.number ?? 0;

/** An absent value within a present message: Go's zero time. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function timeConverter(micro: boolean): Converter {
  return {
    wireType: 2,
    read: (reader) => {
      const fields = readFields(reader);
      const seconds = numberOf(fields, 1);
      if (fields.length === 0 || Math.abs(seconds) > 8.64e12) return undefined;
      const base = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, '');
      const micros = Math.floor(Math.abs(numberOf(fields, 2)) / 1000) % 1_000_000;
      return micro ? `${base}.${String(micros).padStart(6, '0')}Z` : `${base}Z`;
    },
    write: (writer, value) => {
      // Among the values of a map, where Go has its zero time.
      if (isAbsent(value)) return writeFields(writer, []);
      const ms = typeof value === 'string' ? Date.parse(value) : NaN;
      if (Number.isNaN(ms)) throw new TypeMismatch(`${JSON.stringify(value)} is not a time`);
      const fraction = /\.(\d+)/.exec(value as string)?.[1] ?? '';
      const nanos = micro ? Number(fraction.slice(0, 6).padEnd(6, '0')) * 1000 : 0;
      return writeFields(writer, [
        [1, 'varint', Math.floor(ms / 1000)],
        [2, 'varint', nanos],
      ]);
    },
    isZero: isAbsent,
  };
}

const quantity: Converter = {
  wireType: 2,
  read: (reader) => {
    const text = textOf(readFields(reader), 1);
    try {
      return text === '' ? '0' : canonicalQuantity(text);
    } catch (error) {
      if (error instanceof QuantityError) throw new ProtobufError(error.message, { cause: error });
      throw error;
    }
  },
  write: (writer, value) => {
    writeFields(writer, [[1, 'string', String(value as string | number)]]);
  },
  isZero: isAbsent,
};

const intOrString: Converter = {
  wireType: 2,
  read: (reader) => {
    const fields = readFields(reader);
    return numberOf(fields, 1) === 1 ? textOf(fields, 3) : numberOf(fields, 2);
  },
  write: (writer, value) => {
    const isText = typeof value === 'string';
    if (!isText && !Number.isInteger(value)) throw new TypeMismatch('not an int or string');
    writeFields(writer, [
      [1, 'varint', isText ? 1 : 0],
      [2, 'varint', isText ? 0 : value],
      [3, 'string', isText ? value : ''],
    ]);
  },
  isZero: isAbsent,
};

/** FieldsV1, RawExtension and JSON: JSON text in a bytes field. */
const rawJson: Converter = {
  wireType: 2,
  read: (reader) => {
    const text = textOf(readFields(reader), 1);
    if (text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new ProtobufError('embedded JSON is malformed', { cause: error });
    }
  },
  write: (writer, value) => {
    writeFields(writer, [[1, 'bytes', Buffer.from(JSON.stringify(value))]]);
  },
  isZero: isAbsent,
};

/** Verbs and ExtraValue: a message that is a plain list in JSON. */
const stringList: Converter = {
  wireType: 2,
  read: (reader) => readFields(reader).map((f) => Buffer.from(f.bytes).toString('utf8')),
  write: (writer, value) => {
    if (!Array.isArray(value)) throw new TypeMismatch('not a list');
    writeFields(
      writer,
      value.map((item): Field => [1, 'string', String(item)]),
    );
  },
  isZero: isAbsent,
};

/** meta/v1 Duration: nanoseconds as Go prints them. */
const duration: Converter = {
  wireType: 2,
  read: (reader) => `${numberOf(readFields(reader), 1) / 1e9}s`,
  write: (writer, value) => {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(value))?.[1];
    if (seconds === undefined) throw new TypeMismatch('not a duration in seconds');
    writeFields(writer, [[1, 'varint', Math.round(Number(seconds) * 1e9)]]);
  },
  isZero: isAbsent,
};

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const CRD = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.';

/** Messages whose JSON is not an object of their fields. */
export function specialMessage(name: string): Converter | undefined {
  switch (name) {
    case `${META}Time`:
      return timeConverter(false);
    case `${META}MicroTime`:
      return timeConverter(true);
    case `${META}Verbs`:
      return stringList;
    case `${META}FieldsV1`:
    case 'k8s.io.apimachinery.pkg.runtime.RawExtension':
    case `${CRD}JSON`:
      return rawJson;
    case `${META}Duration`:
      return duration;
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
      return quantity;
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString':
      return intOrString;
    default:
      return name.endsWith('.ExtraValue') ? stringList : undefined;
  }
}

/** JSONSchemaPropsOrArray, …OrBool and …OrStringArray: one of several shapes. */
export function unionMessage(name: string, message: Converter): Converter | undefined {
  const kind = /JSONSchemaPropsOr(Array|Bool|StringArray)$/.exec(name)?.[1];
  if (!kind) return undefined;
  const list = kind === 'Array' ? 'jSONSchemas' : 'property';
  return {
    ...message,
    read: (reader, depth) => {
      const value = message.read(reader, depth);
      if (!isPlain(value)) return value;
      if (value['schema'] !== undefined) return value['schema'];
      return kind === 'Bool' ? value['allows'] === true : (value[list] ?? []);
    },
    write: (writer, value, depth) => {
      if (typeof value === 'boolean') message.write(writer, { allows: value }, depth);
      else if (Array.isArray(value)) message.write(writer, { [list]: value }, depth);
      else if (kind === 'Bool') message.write(writer, { allows: true, schema: value }, depth);
      else message.write(writer, { schema: value }, depth);
    },
  };
}
