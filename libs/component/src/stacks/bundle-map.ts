/** Where something stands in a source; line and column from 1. */
export interface SourcePlace {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** What the decoder knows at one point of the mappings; all from 0. */
interface Cursor {
  /** In the text of the mappings. */
  at: number;
  line: number;
  column: number;
  source: number;
  sourceLine: number;
  sourceColumn: number;
  /** What begins here comes from a source. */
  isPlaced: boolean;
}

/** Text between two cursors that are kept: so much is read for one look-up. */
const STRIDE = 4096;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CONTINUES = 32;
const [COMMA, SEMICOLON] = [44, 59];

const values = new Int8Array(128).fill(-1);
for (let i = 0; i < DIGITS.length; i++) values[DIGITS.charCodeAt(i)] = i;

/**
 * A source map (ECMA-426) of which nothing is kept but its text and a cursor for each few thousand characters: the
 * decoded form that Node's has is twenty times as large.
 */
export class BundleMap {
  readonly #sources: readonly string[];
  readonly #mappings: string;
  readonly #cursors: Cursor[] = [];

  /** Throws for a text that is no source map. */
  constructor(text: string) {
    const { sources, mappings } = JSON.parse(text) as { sources: string[]; mappings: string };
    this.#sources = sources;
    this.#mappings = mappings;
    let next = 0;
    const cursor: Cursor = {
      at: 0,
      line: 0,
      column: 0,
      source: 0,
      sourceLine: 0,
      sourceColumn: 0,
      isPlaced: false,
    };
    do {
      if (cursor.at < next) continue;
      this.#cursors.push({ ...cursor });
      next = cursor.at + STRIDE;
    } while (advance(mappings, cursor));
  }

  /** The place of what stands at `line` and `column` (from 1) of the bundle; undefined = it is of no source. */
  find(line: number, column: number): SourcePlace | undefined {
    const isPast = (cursor: Cursor): boolean =>
      cursor.line > line - 1 || (cursor.line === line - 1 && cursor.column > column - 1);
    let [low, high] = [0, this.#cursors.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const cursor = this.#cursors[middle];
      if (cursor && isPast(cursor)) high = middle;
      else low = middle + 1;
    }
    const from = this.#cursors[low - 1];
    if (!from) return undefined;
    const cursor = { ...from };
    let last: Cursor | undefined;
    do {
      if (isPast(cursor)) break;
      last = { ...cursor };
    } while (advance(this.#mappings, cursor));
    if (last?.line !== line - 1 || !last.isPlaced) return undefined;
    const source = this.#sources[last.source];
    return source === undefined
      ? undefined
      : { source, line: last.sourceLine + 1, column: last.sourceColumn + 1 };
  }
}

/** Goes on by one segment; false at the end of the text. */
function advance(text: string, cursor: Cursor): boolean {
  let code = text.charCodeAt(cursor.at);
  while (code === COMMA || code === SEMICOLON) {
    if (code === SEMICOLON) {
      cursor.line += 1;
      cursor.column = 0;
    }
    cursor.at += 1;
    code = text.charCodeAt(cursor.at);
  }
  if (cursor.at >= text.length) return false;
  const [column = 0, source, sourceLine = 0, sourceColumn = 0] = segment(text, cursor);
  cursor.column += column;
  cursor.isPlaced = source !== undefined;
  cursor.source += source ?? 0;
  cursor.sourceLine += sourceLine;
  cursor.sourceColumn += sourceColumn;
  return true;
}

/** The numbers of one segment, in base 64 with a sign in the lowest bit. */
function segment(text: string, cursor: Cursor): number[] {
  const numbers: number[] = [];
  let [value, scale] = [0, 1];
  for (; cursor.at < text.length; cursor.at++) {
    const code = text.charCodeAt(cursor.at);
    if (code === COMMA || code === SEMICOLON) break;
    const digit = values[code] ?? -1;
    if (digit < 0) throw new TypeError('the source map is no text in base 64');
    value += (digit % CONTINUES) * scale;
    if (digit >= CONTINUES) {
      scale *= CONTINUES;
      continue;
    }
    numbers.push(value % 2 === 1 ? -((value - 1) / 2) : value / 2);
    [value, scale] = [0, 1];
  }
  return numbers;
}
