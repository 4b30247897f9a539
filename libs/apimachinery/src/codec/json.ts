import { DecodeError, MAX_DEPTH, MAX_VALUES, TOO_DEEP, tooManyValues } from './decode-error.js';
import type { Steps } from '../steps.js';
import { goQuote } from '../field-error.js';
import { jsonSyntaxProblem } from './json-syntax.js';

export interface DecodedJson {
  readonly value: unknown;
  /** Paths of fields given more than once; only looked for when asked. */
  readonly duplicateFields: readonly string[];
}

export interface DecodeOptions {
  readonly findDuplicates?: boolean;
  readonly maxDepth?: number;
  /** Default: MAX_VALUES. */
  readonly maxValues?: number;
}

/** Repeated fields that are reported (sigs.k8s.io/json internal/golang/encoding/json:maxSavedErrors). */
const MAX_DUPLICATES = 100;

/**
 * Parses JSON bytes; throws {@link DecodeError} for bad syntax or nesting, 413 for too many values. `__proto__` is plain
 * data.
 */
export function decodeJson(input: Uint8Array | string, options: DecodeOptions = {}): DecodedJson {
  const text = typeof input === 'string' ? input : textOf(input);
  refuseShape(text, options.maxDepth ?? MAX_DEPTH, options.maxValues ?? MAX_VALUES);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DecodeError(goJsonError(error, text), { cause: error });
  }
  return { value, duplicateFields: options.findDuplicates ? findDuplicateFields(text) : [] };
}

/** Characters of a list that are parsed in one go. */
const SLICE = 256 * 1024;

/**
 * {@link decodeJson} in steps, of a document that is a list of very many elements. Anything else, and what is malformed, is
 * decoded in one go.
 */
export function* decodeListSteps(input: Uint8Array, options: DecodeOptions = {}): Steps<unknown> {
  const text = textOf(input);
  if (text.length <= SLICE) return decodeJson(text, options).value;
  refuseShape(text, options.maxDepth ?? MAX_DEPTH, options.maxValues ?? MAX_VALUES);
  yield;
  const parts = cutList(text);
  yield;
  const list: unknown[] = [];
  for (const part of parts ?? []) {
    const elements = parseElements(part);
    if (!elements) return decodeJson(text, options).value;
    for (const element of elements) list.push(element);
    yield;
  }
  return parts ? list : decodeJson(text, options).value;
}

function parseElements(text: string): unknown[] | undefined {
  try {
    return JSON.parse(`[${text}]`) as unknown[];
  } catch {
    return undefined;
  }
}

/** What stands between the brackets of a list, cut at commas between its elements; undefined = it is no list. */
function cutList(text: string): string[] | undefined {
  const from = text.indexOf('[');
  const to = text.lastIndexOf(']');
  const isList = from >= 0 && to > from && text.slice(0, from).trim() === '';
  if (!isList || text.slice(to + 1).trim() !== '') return undefined;
  const parts = cutElements(text, from + 1, to);
  // A comma stands before nothing.
  return parts.length > 1 && parts.at(-1)?.trim() === '' ? undefined : parts;
}

function cutElements(text: string, from: number, to: number): string[] {
  const parts: string[] = [];
  let [depth, begin] = [0, from];
  for (let at = begin; at < to; at += 1) {
    const c = text.charCodeAt(at);
    if (c === 0x22) at = endOfString(text, at);
    else if (c === 0x7b || c === 0x5b) depth += 1;
    else if (c === 0x7d || c === 0x5d) depth -= 1;
    else if (c === 0x2c && depth === 0 && at - begin > SLICE) {
      parts.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  return [...parts, text.slice(begin, to)];
}

/** `Buffer.from(bytes)` would copy them first. */
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('utf8');

function refuseShape(text: string, maxDepth: number, maxValues: number): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c === 0x22) at = endOfString(text, at);
    else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      values += 1;
      if (depth > maxDepth) throw new DecodeError(TOO_DEEP);
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
    else if (c === 0x2c) values += 1;
    if (values > maxValues) throw tooManyValues(maxValues);
  }
}

/** Index of the closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** The error of JSON.parse for `text` in the words of Go's encoding/json. */
export function goJsonError(error: unknown, text: Uint8Array | string): string {
  return jsonSyntaxProblem(text) ?? (error instanceof Error ? error.message : String(error));
}

interface Level {
  readonly path: string;
  readonly keys?: Set<string>;
  key: string;
  index: number;
}

const pathOf = (level: Level | undefined): string => {
  if (!level) return '';
  if (!level.keys) return `${level.path}[${level.index}]`;
  return level.path === '' ? level.key : `${level.path}.${level.key}`;
};

/** The paths of fields that {@link decodeJson} would report, of bytes that it has decoded. */
export const duplicateFieldsOf = (input: Uint8Array): string[] =>
  findDuplicateFields(textOf(input));

function findDuplicateFields(text: string): string[] {
  const found: string[] = [];
  eachKey(text, (level, isRepeated) => {
    if (isRepeated) found.push(pathOf(level));
    return found.length < MAX_DUPLICATES;
  });
  return found;
}

/** A field that is given again, or that nobody knows. */
export interface OddField {
  readonly path: string;
  readonly isRepeated: boolean;
}

/**
 * The fields of decoded bytes that are given again or are in `unknown`, in the order in which a decoder meets them. It passes
 * over what is unknown with all that is in it, however often it is given (sigs.k8s.io/json internal/golang/encoding/json:object).
 */
export function oddFieldsOf(input: Uint8Array, unknown: readonly string[]): OddField[] {
  const found: OddField[] = [];
  const left = new Set(unknown);
  const isPassedOver = isUnder(unknown);
  eachKey(textOf(input), (level, isRepeated) => {
    const path = pathOf(level);
    if (left.delete(path)) found.push({ path, isRepeated: false });
    else if (isRepeated && !isPassedOver(path)) found.push({ path, isRepeated });
    return found.length < MAX_DUPLICATES;
  });
  return found;
}

/** Whether a path is one of these, or below one. */
function isUnder(paths: readonly string[]): (path: string) => boolean {
  const tops = new Set(paths);
  return (path) => {
    for (
      let end = path.length;
      end > 0;
      end = Math.max(...ENDS.map((c) => path.lastIndexOf(c, end - 1)))
    )
      if (tops.has(path.slice(0, end))) return true;
    return false;
  };
}

const ENDS = ['.', '['];

/** The same paths in the order in which Go writes a document that it has read into maps. */
export const byKeys = (paths: readonly string[]): string[] =>
  paths
    .map((path) => ({ path, parts: path.split(/\.|(?=\[)/u) }))
    .sort((a, b) => compareParts(a.parts, b.parts))
    .map(({ path }) => path);

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (const [i, one] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    if (one === other) continue;
    const places = [one, other].map((part) => /^\[(\d+)\]$/u.exec(part)?.[1]);
    const [mine, theirs] = places;
    if (mine !== undefined && theirs !== undefined) return Number(mine) - Number(theirs);
    return one < other ? -1 : 1;
  }
  return a.length - b.length;
}

/** What go-yaml says of a key, as `%#v` prints it. */
export function keySetAgain(line: number, key: unknown): string {
  const text = key === null ? '<nil>' : JSON.stringify(key);
  return `line ${line}: key ${typeof key === 'string' ? goQuote(key) : text} already set in map`;
}

/** Keys that are given again, of decoded JSON that is taken for YAML, in the words and the order of {@link keySetAgain}. */
export function repeatedKeysOfJson(text: string): string[] {
  const found: string[] = [];
  const lines = new Map<Level, number>();
  let [line, counted] = [1, 0];
  const lineAt = (to: number): number => {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < to; at = text.indexOf('\n', at + 1))
      line += 1;
    counted = to;
    return line;
  };
  eachKey(
    text,
    (level, isRepeated, end) => {
      if (isRepeated) lines.set(level, lineAt(startOfValue(text, end)));
      return true;
    },
    (level) => {
      const at = lines.get(level);
      if (at !== undefined) found.push(keySetAgain(at, level.key));
      lines.delete(level);
    },
  );
  return found;
}

/** Where the value of the key begins whose closing quote is at `end`. */
function startOfValue(text: string, end: number): number {
  let at = text.indexOf(':', end) + 1;
  while (' \t\r\n'.includes(text.charAt(at))) at += 1;
  return at;
}

/**
 * Walks well-formed JSON key by key, until `visit` says that it is enough. `end`: where the key's closing quote is. `leave` is told
 * of maps whose newest key has got its value.
 */
function eachKey(
  text: string,
  visit: (level: Level, isRepeated: boolean, end: number) => boolean,
  leave: (level: Level) => void = () => undefined,
): void {
  const levels: Level[] = [];
  let expectKey = false;
  let level: Level | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c === 0x22) {
      const end = endOfString(text, at);
      if (level?.keys && expectKey) {
        const isRepeated = noteKey(level, level.keys, text.slice(at, end + 1));
        if (!visit(level, isRepeated, end)) return;
      }
      expectKey = false;
      at = end;
    } else if (c === 0x7b || c === 0x5b) {
      expectKey = c === 0x7b;
      level = levelIn(level, expectKey);
      levels.push(level);
    } else if (c === 0x7d || c === 0x5d) {
      levels.splice(-1).forEach(leave);
      level = levels.at(-1);
      expectKey = false;
    } else if (c === 0x2c && level) {
      leave(level);
      level.index += 1;
      expectKey = level.keys !== undefined;
    }
  }
}

const levelIn = (outer: Level | undefined, isMap: boolean): Level => {
  const keys = isMap ? { keys: new Set<string>() } : {};
  return { path: pathOf(outer), ...keys, key: '', index: 0 };
};

/** Whether the key has been there before. */
function noteKey(level: Level, keys: Set<string>, literal: string): boolean {
  level.key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  const isRepeated = keys.has(level.key);
  keys.add(level.key);
  return isRepeated;
}
