import { Uint } from '../values/scalars.js';
import { SyntaxIssue } from './issues.js';
import { readStringLiteral } from './string-literal.js';
import type { Literal } from './expr.js';

export type TokenKind = 'literal' | 'ident' | 'quoted-ident' | 'punctuation' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The source of an identifier or punctuation. */
  readonly text: string;
  readonly offset: number;
  readonly value?: Literal;
}

/** Longest first. */
const PUNCTUATION = '&& || == != <= >= + - * / % < > ! ? : ( ) [ ] { } . ,'.split(' ');
const IDENT = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const QUOTED_IDENT = /`([_a-zA-Z0-9.\-/ ]+)`/y;
const NUMBER =
  /0[xX][0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+[uU]?/y;
const STRING = /(?:[rR][bB]?|[bB][rR]?)?(?:"|')/y;
const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y;
const WORDS = new Map<string, Literal>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

const MAX_UINT = 2n ** 64n - 1n;

function numberOf(text: string, offset: number): Literal {
  const isHex = /^0[xX]/.test(text);
  if (!isHex && /[.eE]/.test(text)) return Number(text);
  const isUnsigned = /[uU]$/.test(text);
  const value = BigInt(isUnsigned ? text.slice(0, -1) : text);
  if (isUnsigned) {
    if (value > MAX_UINT) throw new SyntaxIssue(offset, 'invalid uint literal');
    return new Uint(value);
  }
  return value;
}

/** Splits the source into tokens. Throws SyntaxIssue. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    return pattern.exec(source);
  };
  for (;;) {
    offset += match(SPACE)?.[0].length ?? 0;
    if (offset >= source.length) break;
    const token = nextToken(source, offset, match);
    tokens.push(token.token);
    offset = token.end;
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length });
  return tokens;
}

function nextToken(
  source: string,
  offset: number,
  match: (pattern: RegExp) => RegExpExecArray | null,
): { token: Token; end: number } {
  const quote = match(STRING);
  if (quote) {
    const { value, end } = readStringLiteral(source, offset, quote[0]);
    return { token: { kind: 'literal', text: source.slice(offset, end), offset, value }, end };
  }
  const ident = match(IDENT);
  if (ident) {
    const [text] = ident;
    const word = WORDS.get(text);
    const end = offset + text.length;
    if (word !== undefined) return { token: { kind: 'literal', text, offset, value: word }, end };
    return { token: { kind: text === 'in' ? 'punctuation' : 'ident', text, offset }, end };
  }
  const number = match(NUMBER);
  if (number) {
    const [text] = number;
    const value = numberOf(text, offset);
    return { token: { kind: 'literal', text, offset, value }, end: offset + text.length };
  }
  const quoted = match(QUOTED_IDENT);
  if (quoted) {
    const token: Token = { kind: 'quoted-ident', text: quoted[1] ?? '', offset };
    return { token, end: offset + quoted[0].length };
  }
  const text = PUNCTUATION.find((one) => source.startsWith(one, offset));
  if (text === undefined) {
    const char = String.fromCodePoint(source.codePointAt(offset) ?? 0);
    throw new SyntaxIssue(offset, `Syntax error: token recognition error at: '${char}'`);
  }
  return { token: { kind: 'punctuation', text, offset }, end: offset + text.length };
}
