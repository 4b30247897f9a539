import { PkiError } from './pki-error.js';

/** One element of DER (X.690): a tag of one byte, and what it holds. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its head. */
  readonly all: Buffer;
}

const LONG = 0x80;
/** Four bytes of length tell of more than any buffer holds. */
const MOST_LENGTH_BYTES = 4;

const malformed = (): PkiError => new PkiError('malformed', 'asn1: structure error');

function elementAt(bytes: Buffer, at: number): Element {
  const short = bytes[at + 1] ?? LONG;
  const lengthBytes = short > LONG ? short - LONG : 0;
  if (short === LONG || lengthBytes > MOST_LENGTH_BYTES) throw malformed();
  const begin = at + 2 + lengthBytes;
  if (begin > bytes.length) throw malformed();
  const end = begin + (lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes));
  if (end > bytes.length) throw malformed();
  const all = bytes.subarray(at, end);
  return { tag: bytes[at] ?? 0, content: bytes.subarray(begin, end), all };
}

/** The elements that follow each other in `bytes`. Throws PkiError (malformed) when they are none. */
export function elementsOf(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.all.length;
  }
  return found;
}

/** What an element of that tag holds. Throws PkiError (malformed) for another or none. */
export function insideOf(element: Element | undefined, tag: number): Element[] {
  if (element?.tag !== tag) throw malformed();
  return elementsOf(element.content);
}

const [UTF8, NUMERIC, PRINTABLE, T61, IA5, UNIVERSAL, BMP] = [
  0x0c, 0x12, 0x13, 0x14, 0x16, 0x1c, 0x1e,
];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function wide(content: Buffer, width: 2 | 4): string {
  if (content.length % width !== 0) throw malformed();
  const units = Array.from({ length: content.length / width }, (_, i) =>
    content.readUIntBE(i * width, width),
  );
  return units.map((unit) => String.fromCodePoint(unit)).join('');
}

/** The text of a string of any sort; undefined = it is no string. Throws when it is not what its tag says. */
export function textOf({ tag, content }: Element): string | undefined {
  if (tag === UTF8) return utf8.decode(content);
  if (tag === BMP) return wide(content, 2);
  if (tag === UNIVERSAL) return wide(content, 4);
  if (tag === T61) return content.toString('latin1');
  return tag === PRINTABLE || tag === IA5 || tag === NUMERIC ? asciiOf(content) : undefined;
}

/** Throws for bytes that are no ASCII. */
export function asciiOf(content: Buffer): string {
  if (content.some((byte) => byte > 0x7f)) throw malformed();
  return content.toString('latin1');
}
