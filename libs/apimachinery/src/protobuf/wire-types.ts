import type { Reader, Writer } from 'protobufjs';

/** Reads one value of a message field, or writes one; `depth` bounds recursion. */
export interface Converter {
  readonly wireType: 0 | 1 | 2 | 5;
  read(reader: Reader, depth: number): unknown;
  write(writer: Writer, value: unknown, depth: number): void;
  /** True for Go's zero value of the type. */
  isZero(value: unknown): boolean;
}

type PlainObject = Record<string, unknown>;
export const isPlain = (value: unknown): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** int64 as protobufjs gives it: a Long, or a number where the long library is absent. */
export const toNumber = (value: unknown): number =>
  typeof value === 'number' ? value : Number(String(value));

/** The next length-delimited field as bytes; the reader checks that they are there. */
export const readBytes = (reader: Reader): Uint8Array => reader.bytes();

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

export class TypeMismatch extends Error {}

function need<T>(ok: boolean, value: unknown, type: string): T {
  if (!ok) throw new TypeMismatch(`${JSON.stringify(value)?.slice(0, 64)} is not of type ${type}`);
  return value as T;
}

const int = (value: unknown): number => need<number>(Number.isInteger(value), value, 'integer');

export const SCALARS: Readonly<Record<string, Converter>> = {
  string: {
    wireType: 2,
    read: (reader) => text(readBytes(reader)),
    write: (writer, value) => {
      writer.string(need<string>(typeof value === 'string', value, 'string'));
    },
    isZero: (value) => value === '',
  },
  bytes: {
    wireType: 2,
    read: (reader) => Buffer.from(readBytes(reader)).toString('base64'),
    write: (writer, value) => {
      const encoded = need<string>(typeof value === 'string', value, 'bytes');
      writer.bytes(Buffer.from(encoded, 'base64'));
    },
    isZero: (value) => value === '',
  },
  bool: {
    wireType: 0,
    read: (reader) => reader.bool(),
    write: (writer, value) => {
      writer.bool(need<boolean>(typeof value === 'boolean', value, 'bool'));
    },
    isZero: (value) => value === false,
  },
  int32: {
    wireType: 0,
    read: (reader) => reader.int32(),
    write: (writer, value) => {
      writer.int32(int(value));
    },
    isZero: (value) => value === 0,
  },
  int64: {
    wireType: 0,
    read: (reader) => toNumber(reader.int64()),
    write: (writer, value) => {
      writer.int64(int(value));
    },
    isZero: (value) => value === 0,
  },
  double: {
    wireType: 1,
    read: (reader) => reader.double(),
    write: (writer, value) => {
      writer.double(need<number>(typeof value === 'number', value, 'double'));
    },
    isZero: (value) => value === 0,
  },
};
