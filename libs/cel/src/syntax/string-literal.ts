import { SyntaxIssue } from './issues.js';

interface ReadString {
  readonly value: string | Uint8Array;
  readonly end: number;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};
const ESCAPE =
  /\\(?:([abfnrtv\\'"`?])|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/g;

/** Finds the closing quote; backslashes escape it, also in raw strings' source. */
function findEnd(source: string, from: number, quote: string, raw: boolean): number {
  for (let i = from; i < source.length; i++) {
    if (source.startsWith(quote, i)) return i;
    if (source[i] === '\\' && !raw) i += 1;
    else if (quote.length === 1 && (source[i] === '\n' || source[i] === '\r')) return -1;
  }
  return -1;
}

/** The character of a \\u or \\U escape. */
function unicode(hex: string, offset: number): string {
  const point = parseInt(hex, 16);
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
    throw new SyntaxIssue(offset, 'invalid unicode code point');
  return String.fromCodePoint(point);
}

/** What an escape stands for: a text, or the number of a byte (of a character in strings). */
function escaped(found: RegExpMatchArray, offset: number, isBytes: boolean): string | number {
  const [, simple, hex, octal, short, long, bad] = found;
  const point = short ?? long;
  if (bad !== undefined || (isBytes && point !== undefined))
    throw new SyntaxIssue(offset, 'unable to unescape string');
  if (simple !== undefined) return SIMPLE[simple] ?? '';
  if (point !== undefined) return unicode(point, offset);
  return hex === undefined ? parseInt(octal ?? '', 8) : parseInt(hex, 16);
}

function unescape(body: string, offset: number, isBytes: boolean): string | Uint8Array {
  const bytes: Uint8Array[] = [];
  let text = '';
  let last = 0;
  for (const found of body.matchAll(ESCAPE)) {
    text += body.slice(last, found.index);
    last = found.index + found[0].length;
    const part = escaped(found, offset, isBytes);
    if (typeof part === 'string') text += part;
    else if (!isBytes) text += String.fromCharCode(part);
    else {
      bytes.push(Buffer.from(text), Uint8Array.of(part));
      text = '';
    }
  }
  text += body.slice(last);
  return isBytes ? new Uint8Array(Buffer.concat([...bytes, Buffer.from(text)])) : text;
}

/** Reads the string or bytes literal at `offset`, whose prefix letters and first quote are `head`. */
export function readStringLiteral(source: string, offset: number, head: string): ReadString {
  const prefix = head.slice(0, -1).toLowerCase();
  const single = head.slice(-1);
  const start = offset + head.length - 1;
  const quote = source.startsWith(single.repeat(3), start) ? single.repeat(3) : single;
  const from = start + quote.length;
  const raw = prefix.includes('r');
  const isBytes = prefix.includes('b');
  const end = findEnd(source, from, quote, raw);
  if (end < 0) {
    const rest = source.slice(offset).split('\n')[0] ?? '';
    throw new SyntaxIssue(offset, `Syntax error: token recognition error at: '${rest}'`);
  }
  const body = source.slice(from, end).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const plain = isBytes ? new Uint8Array(Buffer.from(body)) : body;
  return { value: raw ? plain : unescape(body, offset, isBytes), end: end + quote.length };
}
