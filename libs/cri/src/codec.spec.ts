import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import Long from 'long';
import protobuf from 'protobufjs';
import type { Field, Type } from 'protobufjs';
import { codecOf, messageNames } from './codec.js';

const text = readFileSync(new URL('./gen/cri.json', import.meta.url), 'utf8');
protobuf.util.Long = Long;
protobuf.configure();
const library = protobuf.Root.fromJSON(JSON.parse(text) as never);
library.resolveAll();
const typeOf = (name: string): Type => library.lookupType(`runtime.v1.${name}`);

const NANOSECONDS = ['createdAt', 'startedAt', 'finishedAt', 'timestamp'];
const WIDE = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'binary', maxLength: 8 }),
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  double: fc.double({ noNaN: true }).map((value) => value + 0),
  int32: fc.integer(),
  uint32: fc.nat(),
  int64: fc.integer(WIDE),
  uint64: fc.integer({ ...WIDE, min: 0 }),
};

function valueOf({ name, type, resolvedType }: Field, depth: number): fc.Arbitrary<unknown> {
  if (type === 'int64' && NANOSECONDS.includes(name))
    return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
  if (resolvedType instanceof protobuf.Enum)
    return fc.constantFrom(...Object.keys(resolvedType.values));
  return SCALARS[type] ?? messageOf(resolvedType as Type, depth - 1);
}

function messageOf(type: Type, depth: number): fc.Arbitrary<object> {
  const shapes = type.fieldsArray.flatMap((field) => {
    if (depth === 0 && field.resolvedType instanceof protobuf.Type) return [];
    const value = valueOf(field, depth);
    const list = fc.array(value, { maxLength: 2 });
    const map = fc.dictionary(fc.constantFrom('', 'a', 'b/c', 'ä'), value, { maxKeys: 2 });
    return [[field.name, field.map ? map : field.repeated ? list : value] as const];
  });
  return fc.record(Object.fromEntries(shapes), { requiredKeys: [] });
}

/** Bytes and objects without prototypes, told by their contents. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each instanceof Uint8Array ? [...each] : each === null ? undefined : each,
    ),
  );

describe('codecOf()', () => {
  it.each(messageNames())('writes and reads %s as a library does', (name) => {
    const { encode, decode } = codecOf(name);
    const type = typeOf(name);
    fc.assert(
      fc.property(messageOf(type, 2), (message) => {
        const ours = encode(message);
        const theirs = Buffer.from(type.encode(type.fromObject(message)).finish());
        // What is left out is put in again by who reads, so both say the same.
        expect(plain(decode(ours))).toEqual(plain(decode(theirs)));
        const read = (bytes: Buffer): unknown =>
          plain(
            type.toObject(type.decode(bytes), { longs: String, enums: String, defaults: true }),
          );
        expect(read(ours)).toEqual(read(theirs));
        expect(decode(ours)).toMatchObject(message);
      }),
      { numRuns: 10 },
    );
  });

  it('reads what was written by a newer version', () => {
    const parts = [
      [0x0a, 1, 0x41], // 1: version
      [0xfa, 0x01, 2, 1, 2], // 31: bytes
      [0xf0, 0x01, 0x96, 0x01], // 30: varint
      [0xe9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], // 29: 64 bits
      [0xe5, 0x01, 1, 2, 3, 4], // 28: 32 bits
    ];
    const newer = Buffer.from(parts.flat());
    expect(codecOf('VersionRequest').decode(newer)).toEqual({ version: 'A' });
  });

  it.each([
    ['cut off in a tag', [0x80]],
    ['cut off in a text', [0x0a, 5, 0x41]],
    ['of an unknown wire type', [0x0f]],
    ['with a number where text belongs', [0x08, 1]],
    [
      'with an integer that does not end',
      [0xf0, 0x01, ...Array.from({ length: 11 }, () => 0xff), 1],
    ],
    ['with a length beyond all', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuses a message %s', (_, bytes) => {
    expect(() => codecOf('VersionRequest').decode(Buffer.from(bytes))).toThrow(RangeError);
  });

  it('takes the keys of maps as data', () => {
    const { encode, decode } = codecOf('ContainerConfig');
    const labels = JSON.parse('{"__proto__":"x","constructor":"y"}') as object;
    const read = decode(encode({ labels })) as { labels: object };
    expect(Object.entries(read.labels)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(read.labels)).toBe(Object.prototype);
  });

  it('reads numbers that are packed or not', () => {
    const groups = codecOf('LinuxSandboxSecurityContext');
    const packed = groups.encode({ supplementalGroups: [1, 300] });
    const { id = 0 } = typeOf('LinuxSandboxSecurityContext').fields['supplementalGroups'] ?? {};
    const tag = id * 8;
    const loose = Buffer.from([tag, 1, tag, 0xac, 2]);
    for (const bytes of [packed, loose])
      expect(groups.decode(bytes)).toMatchObject({ supplementalGroups: [1, 300] });
  });
});
