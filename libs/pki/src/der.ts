/** Tags of the ASN.1 types that certificates use (X.690). */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

/** One DER element with the given tag and content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(body.length), body]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer =>
  element(Tag.sequence, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => element(Tag.set, ...items);
export const octetString = (content: Uint8Array): Buffer => element(Tag.octetString, content);
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  element(Tag.bitString, Buffer.from([unusedBits]), content);
export const boolean = (value: boolean): Buffer =>
  element(Tag.boolean, Buffer.from([value ? 0xff : 0]));
export const nothing = (): Buffer => element(Tag.null);

/** A non-negative INTEGER from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const signed = (trimmed[0] ?? 0) >= 0x80 ? [Buffer.from([0]), trimmed] : [trimmed];
  return element(Tag.integer, ...signed);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const group = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) group.unshift((more & 0x7f) | 0x80);
    bytes.push(...group);
  }
  return element(Tag.oid, Buffer.from(bytes));
}

/** UTCTime before 2050, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return Number(digits.slice(0, 4)) < 2050
    ? element(Tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(Tag.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** One decoded DER element: `raw` with tag and length, `content` without. */
export interface DerNode {
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
}

/** The input is not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

function readOne(buffer: Buffer, at: number): DerNode {
  const tag = buffer[at];
  const first = buffer[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('truncated element');
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || at + 2 + count > buffer.length)
      throw new DerError('unsupported length');
    length = buffer.readUIntBE(at + 2, count);
    header += count;
  }
  const end = at + header + length;
  if (end > buffer.length) throw new DerError('length beyond the end');
  return { tag, raw: buffer.subarray(at, end), content: buffer.subarray(at + header, end) };
}

/** The elements that `content` is made of. Throws DerError. */
export function readAll(content: Buffer): readonly DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < content.length;) {
    const node = readOne(content, at);
    nodes.push(node);
    at += node.raw.length;
  }
  return nodes;
}

/** The element at `index` inside `parent`, which must have tag `tag` when one is given. Throws DerError. */
export function childOf(parent: Buffer, index: number, tag?: number): DerNode {
  const node = readAll(parent)[index];
  if (!node) throw new DerError(`element ${index} is missing`);
  if (tag !== undefined && node.tag !== tag)
    throw new DerError(`element ${index} has tag ${node.tag}, want ${tag}`);
  return node;
}

export function readOid(content: Buffer): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(value);
      value = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}
