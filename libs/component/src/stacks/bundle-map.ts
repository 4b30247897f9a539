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
const MAPPINGS = '"mappings"';
const SOURCES = '"sources"';

const values = new Int8Array(256).fill(-1);
for (let i = 0; i < DIGITS.length; i++) values[DIGITS.charCodeAt(i)] = i;

/**
 * The mappings, which have no escapes, and what the map says else. Where the sources stand before them, nothing behind them is
 * read: tens of thousands of names, which no stack shows.
 */
function partsOf(text: Buffer): { mappings: Uint8Array; rest: { sources: string[] } } {
  const key = text.indexOf(MAPPINGS);
  const from = text.indexOf('"', key + MAPPINGS.length) + 1;
  const to = text.indexOf('"', from);
  const isFound = key >= 0 && from > 0 && to > 0;
  const head = text.toString('utf8', 0, isFound ? from : 0);
  const tail = head.includes(SOURCES) ? '"}' : text.toString('utf8', isFound ? to : 0);
  const json = `${head}${tail}`;
  const rest = JSON.parse(json) as { sources: string[] };
  return { mappings: isFound ? text.subarray(from, to) : new Uint8Array(), rest };
}

/**
 * A source map (ECMA-426) of which nothing is kept but its text and a cursor for each few thousand characters: the
 * decoded form that Node's has is twenty times as large. It is read no further than it is asked for.
 */
export class BundleMap {
  readonly #sources: readonly string[];
  readonly #mappings: Uint8Array;
  readonly #cursors: Cursor[] = [];
  /** How far it has been read. */
  readonly #front: Cursor = {
    at: 0,
    line: 0,
    column: 0,
    source: 0,
    sourceLine: 0,
    sourceColumn: 0,
    isPlaced: false,
  };
  #isRead = false;

  /** Throws for a text that is no source map. */
  constructor(text: Buffer) {
    const { mappings, rest } = partsOf(text);
    this.#sources = rest.sources;
    this.#mappings = mappings;
    this.#cursors.push({ ...this.#front });
  }

  /** The place of what stands at `line` and `column` (from 1) of the bundle; undefined = it is of no source. Throws as the constructor. */
  find(line: number, column: number): SourcePlace | undefined {
    const isPast = (cursor: Cursor): boolean =>
      cursor.line > line - 1 || (cursor.line === line - 1 && cursor.column > column - 1);
    this.#readTo(isPast);
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

  #readTo(isPast: (cursor: Cursor) => boolean): void {
    const front = this.#front;
    while (!this.#isRead && !isPast(front)) {
      this.#isRead = !advance(this.#mappings, front, front.at + STRIDE);
      if (!this.#isRead) this.#cursors.push({ ...front });
    }
  }
}

/**
 * Goes on by one segment, and to the first that ends at `stop` or behind; false at the end of the text. A segment has up to five
 * numbers in base 64, each with its sign in the lowest bit. A bundle has a million of them: they are added up in one loop.
 */
function advance(text: Uint8Array, cursor: Cursor, stop = 0): boolean {
  const { source, sourceLine, sourceColumn } = cursor;
  const sums = new Int32Array([cursor.column, source, sourceLine, sourceColumn, 0]);
  let { at, line } = cursor;
  let [value, shift, field] = [0, 0, 0];
  for (; at < text.length; at++) {
    const code = text[at] ?? 0;
    if (code === COMMA || code === SEMICOLON) {
      if (field > 0 && at >= stop) break;
      if (code === SEMICOLON) [line, sums[0]] = [line + 1, 0];
      field = 0;
      continue;
    }
    const digit = values[code] ?? -1;
    if (digit < 0) throw new TypeError('the source map is no text in base 64');
    value |= (digit & (CONTINUES - 1)) << shift;
    shift += 5;
    if (digit >= CONTINUES) continue;
    sums[field] = (sums[field] ?? 0) + (value & 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
    field += 1;
  }
  if (field === 0) return false;
  cursor.isPlaced = field > 1;
  [cursor.column = 0, cursor.source = 0, cursor.sourceLine = 0, cursor.sourceColumn = 0] = sums;
  [cursor.at, cursor.line] = [at, line];
  return true;
}
