import { stringSize } from '../values/value.js';
import { CostExceeded, ListValue } from '../values/value.js';
import { formatString } from './format-string.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';
import { matches } from './regex.js';

const isPlain = (text: string): boolean => !/[\ud800-\udfff]/.test(text);

/** The code points from `start` to `end`. */
function slice(text: string, start: number, end?: number): string {
  return isPlain(text) ? text.slice(start, end) : Array.from(text).slice(start, end).join('');
}

function charAt(text: string, index: bigint): string {
  const size = stringSize(text);
  if (index < 0n || index > BigInt(size)) return fail(`index out of range: ${index}`);
  return slice(text, Number(index), Number(index) + 1);
}

function offsetIn(text: string, offset: bigint): number {
  if (offset < 0n || offset >= BigInt(Math.max(stringSize(text), 1)))
    return fail(`index out of range: ${offset}`);
  return Number(offset);
}

/** Code points before a UTF-16 index. */
const toPoints = (text: string, index: number): bigint =>
  BigInt(index < 0 ? -1 : stringSize(text.slice(0, index)));

const toUnits = (text: string, points: number): number =>
  isPlain(text) ? points : Array.from(text).slice(0, points).join('').length;

function indexOf(text: string, part: string, offset = 0n): bigint {
  if (part === '') return offset === 0n ? 0n : BigInt(offsetIn(text, offset));
  const from = offset === 0n ? 0 : toUnits(text, offsetIn(text, offset));
  return toPoints(text, text.indexOf(part, from));
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  if (offset === undefined)
    return part === '' ? BigInt(stringSize(text)) : toPoints(text, text.lastIndexOf(part));
  const at = offsetIn(text, offset);
  return part === '' ? BigInt(at) : toPoints(text, text.lastIndexOf(part, toUnits(text, at)));
}

/** Longest string that a function makes: beyond it no cost budget would have allowed to read it. */
const MAX_LENGTH = 20_000_000;

function checkLength(length: number): void {
  if (length > MAX_LENGTH) throw new CostExceeded();
}

function join(list: ListValue, separator: string): string {
  const parts = list.toArray();
  if (!parts.every((part) => typeof part === 'string')) return fail('no such overload');
  checkLength(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return parts.join(separator);
}

function replace(text: string, from: string, to: string, limit = -1n): string {
  if (limit === 0n) return text;
  let left = limit < 0n ? Infinity : Number(limit);
  checkLength(text.length + (text.length / Math.max(from.length, 1) + 1) * to.length);
  if (from === '') {
    const chars = Array.from(text);
    const parts = [...chars, ''].map((char) => (left-- > 0 ? `${to}${char}` : char));
    return parts.join('');
  }
  let made = '';
  let at = 0;
  for (;;) {
    const found = left > 0 ? text.indexOf(from, at) : -1;
    if (found < 0) return made + text.slice(at);
    made += text.slice(at, found) + to;
    at = found + from.length;
    left -= 1;
  }
}

function split(text: string, separator: string, limit = -1n): ListValue {
  if (limit === 0n) return new ListValue([]);
  if (limit === 1n) return new ListValue([text]);
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return new ListValue(parts);
  const head = parts.slice(0, Number(limit) - 1);
  return new ListValue([...head, parts.slice(Number(limit) - 1).join(separator)]);
}

function substring(text: string, start: bigint, end?: bigint): string {
  const size = BigInt(stringSize(text));
  if (start < 0n || start > size) return fail(`index out of range: ${start}`);
  if (end === undefined) return slice(text, Number(start));
  if (end < 0n || end > size) return fail(`index out of range: ${end}`);
  if (start > end) return fail(`invalid substring range. start: ${start}, end: ${end}`);
  return slice(text, Number(start), Number(end));
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

const QUOTABLE = new RegExp(`[${String.fromCharCode(7)}\\b\\f\\n\\r\\t\\v\\\\"]`, 'g');

const quote = (text: string): string =>
  `"${text.replace(QUOTABLE, (char) => QUOTED[char] ?? char)}"`;

/** ASCII letters only. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase());
/** Go's unicode.IsSpace. */
const SPACE =
  '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const EDGES = new RegExp(`^${SPACE}|${SPACE}$`, 'g');

/** The string functions of CEL and of cel-go's ext.Strings version 2. */
export const strings: readonly Overload[] = [
  fn('string.contains(string): bool', 'contains_string', (a: string, b: string) => a.includes(b)),
  fn('string.startsWith(string): bool', 'starts_with_string', (a: string, b: string) =>
    a.startsWith(b),
  ),
  fn('string.endsWith(string): bool', 'ends_with_string', (a: string, b: string) => a.endsWith(b)),
  fn('string.matches(string): bool', 'matches_string', matches),
  fn('matches(string, string): bool', 'matches', matches),
  fn('string.charAt(int): string', 'string_char_at_int', charAt),
  fn('string.indexOf(string): int', 'string_index_of_string', indexOf),
  fn('string.indexOf(string, int): int', 'string_index_of_string_int', indexOf),
  fn('string.lastIndexOf(string): int', 'string_last_index_of_string', lastIndexOf),
  fn('string.lastIndexOf(string, int): int', 'string_last_index_of_string_int', lastIndexOf),
  fn('list(string).join(): string', 'list_join', (list: ListValue) => join(list, '')),
  fn('list(string).join(string): string', 'list_join_string', join),
  fn('string.lowerAscii(): string', 'string_lower_ascii', lower),
  fn('string.upperAscii(): string', 'string_upper_ascii', upper),
  fn('string.replace(string, string): string', 'string_replace_string_string', replace),
  fn('string.replace(string, string, int): string', 'string_replace_string_string_int', replace),
  fn('string.split(string): list(string)', 'string_split_string', split),
  fn('string.split(string, int): list(string)', 'string_split_string_int', split),
  fn('string.substring(int): string', 'string_substring_int', substring),
  fn('string.substring(int, int): string', 'string_substring_int_int', substring),
  fn('string.trim(): string', 'string_trim', (text: string) => text.replace(EDGES, '')),
  fn('string.format(list(dyn)): string', 'string_format', formatString),
  fn('::strings.quote(string): string', 'strings_quote', quote),
];
