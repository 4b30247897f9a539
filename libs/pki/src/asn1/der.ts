/** The part of DER (ITU-T X.690) that certificates are made of, written and read. */
const LONG = 0x80;
const BYTE = 256;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function lengthBytes(length: number): Buffer {
  if (length < LONG) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / BYTE)) bytes.unshift(rest % BYTE);
  return Buffer.of(LONG + bytes.length, ...bytes);
}

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, { length: one }) => sum + one, 0);
  return Buffer.concat([Buffer.of(tag), lengthBytes(length), ...contents]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer =>
  element(TAGS.sequence, ...parts);
export const set = (part: Uint8Array): Buffer => element(TAGS.set, part);
export const octetString = (bytes: Uint8Array): Buffer => element(TAGS.octetString, bytes);
export const truth = (): Buffer => element(TAGS.boolean, Buffer.of(BYTE - 1));
export const nothing = (): Buffer => element(TAGS.null);
/** Of a number that is not negative, its most significant byte first. */
export const integer = (bytes: Uint8Array): Buffer =>
  element(TAGS.integer, (bytes[0] ?? 0) < LONG ? bytes : Buffer.of(0, ...bytes));
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  element(TAGS.bitString, Buffer.of(unusedBits), bytes);
/** An element that the other side knows by its place: [number], whole or in place of the element's own tag. */
export const wrapped = (number: number, part: Uint8Array): Buffer =>
  element(CONTEXT + CONSTRUCTED + number, part);
export const untagged = (number: number, bytes: Uint8Array): Buffer =>
  element(CONTEXT + number, bytes);

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

export const text = (value: string): Buffer =>
  element(PRINTABLE.test(value) ? TAGS.printableString : TAGS.utf8String, Buffer.from(value));

const SEPTET = 128;

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % SEPTET];
    for (let left = Math.floor(arc / SEPTET); left > 0; left = Math.floor(left / SEPTET))
      septets.unshift((left % SEPTET) + SEPTET);
    return septets;
  });
  return element(TAGS.oid, Buffer.from(bytes));
}

const LAST_UTC_YEAR = 2049;

/** Whole seconds: RFC 5280 4.1.2.5 has no fractions, and two digits for years before 2050. */
export function time(ms: number): Buffer {
  const date = new Date(ms);
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() <= LAST_UTC_YEAR
    ? element(TAGS.utcTime, Buffer.from(digits.slice(2)))
    : element(TAGS.generalizedTime, Buffer.from(digits));
}

/** An element that was read. */
export interface Element {
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** The elements that stand one after the other in `source`. Throws RangeError when the last is cut off. */
export function elements(source: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < source.length;) {
    const tag = source.readUInt8(at);
    const short = source.readUInt8(at + 1);
    const lengthSize = short < LONG ? 0 : short - LONG;
    const length = lengthSize === 0 ? short : source.readUIntBE(at + 2, lengthSize);
    const start = at + 2 + lengthSize;
    const end = start + length;
    if (end > source.length) throw new RangeError('the DER is cut off');
    found.push({ tag, whole: source.subarray(at, end), content: source.subarray(start, end) });
    at = end;
  }
  return found;
}

/** Whether it is the wrapped element of this number. */
export const isWrapped = ({ tag }: Element, number: number): boolean =>
  tag === CONTEXT + CONSTRUCTED + number;
