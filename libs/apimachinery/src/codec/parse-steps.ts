import { setOwn } from '../schema/normalize.js';
import type { Steps } from '../steps.js';

/** Bytes of members that are parsed in one go. */
const PIECE = 64 * 1024;
/** Bytes that are looked through in one go. */
const LOOKED_AT = 512 * 1024;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** What is no JSON, or what cannot be cut: it is parsed in one go, which says what is wrong. */
class Uncut extends Error {}

/** Beyond what whoever asks takes. */
class OverLimit extends SyntaxError {}

export interface ParseLimits {
  /** Lists and maps within one another. */
  readonly depth?: number;
  /** Members of one list or map, but of those that are small in bytes. */
  readonly width?: number;
}

/** Offset of the quote that ends the string that begins at `at`. */
function endOfString(bytes: Buffer, at: number): number {
  for (let end = bytes.indexOf(QUOTE, at + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
    let slashes = 0;
    while (bytes[end - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  throw new Uncut();
}

/** Where the lists and maps that are larger than a piece end, by where they begin. */
function* findLarge(bytes: Buffer, maxDepth: number): Steps<Map<number, number>> {
  const large = new Map<number, number>();
  const open: number[] = [];
  let due = LOOKED_AT;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === OPEN_MAP || byte === OPEN_LIST) {
      if (open.push(at) > maxDepth) throw new OverLimit('exceeded max depth');
    } else if (byte === CLOSE_MAP || byte === CLOSE_LIST) {
      const from = open.pop();
      // A map closes with 0x7d = 0x7b + 2, a list with 0x5d = 0x5b + 2.
      if (from === undefined || byte !== (bytes[from] ?? 0) + 2) throw new Uncut();
      if (at - from > PIECE) large.set(from, at);
    }
    if (at < due) continue;
    due = at + LOOKED_AT;
    yield;
  }
  return large;
}

/** A list or map that is put together of pieces. */
interface Frame {
  readonly into: unknown[] | Record<string, unknown>;
  /** Offset of the bracket that closes it. */
  readonly end: number;
  /** Offset behind the last comma that was dealt with, or behind the bracket. */
  at: number;
  /** Where it goes in what is around it; unused in a list. */
  readonly key: string;
  /** Members that were taken. */
  width: number;
}

class Assembly {
  private readonly frames: Frame[] = [];
  private whole: unknown;

  constructor(
    private readonly bytes: Buffer,
    private readonly large: ReadonlyMap<number, number>,
    private readonly maxWidth: number,
  ) {}

  *run(): Steps<unknown> {
    const from = this.bytes.findIndex((byte) => byte === OPEN_MAP || byte === OPEN_LIST);
    this.blank(0, from);
    this.open(from, '');
    this.blank((this.large.get(from) ?? 0) + 1, this.bytes.length);
    for (let frame = this.frames.at(-1); frame; frame = this.frames.at(-1)) {
      this.advance(frame);
      yield;
    }
    return this.whole;
  }

  private open(from: number, key: string): void {
    const end = this.large.get(from);
    if (end === undefined) throw new Uncut();
    const into = this.bytes[from] === OPEN_LIST ? [] : {};
    this.frames.push({ into, end, at: from + 1, key, width: 0 });
  }

  /** Takes the next piece of a frame, or begins the large value that comes next, or ends the frame. */
  private advance(frame: Frame): void {
    const { bytes, large } = this;
    let comma = -1;
    for (let at = frame.at, depth = 0; at < frame.end; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) at = endOfString(bytes, at);
      else if (byte === OPEN_MAP || byte === OPEN_LIST) {
        if (large.has(at)) return this.begin(frame, comma, at);
        depth += 1;
      } else if (byte === CLOSE_MAP || byte === CLOSE_LIST) depth -= 1;
      else if (byte === COMMA && depth === 0) {
        comma = at;
        if (at - frame.at > PIECE) return this.takeTo(frame, comma);
      }
    }
    this.take(frame, frame.at, frame.end);
    return this.close(frame);
  }

  private takeTo(frame: Frame, comma: number): void {
    this.take(frame, frame.at, comma);
    frame.at = comma + 1;
  }

  /** A large value at `from`: all before it is taken, and its key read. */
  private begin(frame: Frame, comma: number, from: number): void {
    if (comma >= 0) this.takeTo(frame, comma);
    this.open(
      from,
      Array.isArray(frame.into) ? this.blank(frame.at, from) : this.keyAt(frame, from),
    );
  }

  /** What stands before a value in a map: its one key and a colon. */
  private keyAt({ at }: Frame, to: number): string {
    const keys = Object.keys(JSON.parse(`{${this.text(at, to)}0}`) as object);
    if (keys[0] === undefined || keys.length > 1) throw new Uncut();
    return keys[0];
  }

  private close(frame: Frame): void {
    this.frames.pop();
    const around = this.frames.at(-1);
    if (!around) {
      this.whole = frame.into;
      return;
    }
    add(around.into, frame.key, frame.into);
    this.count(around, 1);
    const next = this.nextOf(frame.end + 1, around.end);
    if (next === undefined) this.close(around);
    else around.at = next;
  }

  /** Behind the comma that follows on a large value; undefined = it was the last one. */
  private nextOf(at: number, end: number): number | undefined {
    const comma = this.bytes.indexOf(COMMA, at);
    if (comma < 0 || comma > end) {
      this.blank(at, end);
      return undefined;
    }
    this.blank(at, comma);
    return comma + 1;
  }

  private take(frame: Frame, from: number, to: number): void {
    const taken = this.takeInto(frame.into, this.text(from, to));
    if (taken === 0) throw new Uncut();
    this.count(frame, taken);
  }

  private count(frame: Frame, members: number): void {
    frame.width += members;
    if (frame.width > this.maxWidth) throw new OverLimit('exceeded max width');
  }

  /** How many members that were. */
  private takeInto(into: Frame['into'], text: string): number {
    if (Array.isArray(into)) {
      const items = JSON.parse(`[${text}]`) as unknown[];
      for (const item of items) into.push(item);
      return items.length;
    }
    const members = JSON.parse(`{${text}}`) as Record<string, unknown>;
    const keys = Object.keys(members);
    for (const key of keys) setOwn(into, key, members[key]);
    return keys.length;
  }

  private text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to);
  }

  /** Nothing but white space may stand there. */
  private blank(from: number, to: number): string {
    if (to < from || this.text(from, to).trim() !== '') throw new Uncut();
    return '';
  }
}

function add(into: unknown[] | Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(into)) into.push(value);
  else setOwn(into, key, value);
}

/**
 * `JSON.parse` of bytes in UTF-8 in steps: the members of large lists and maps are parsed some at a time. What is small, and
 * what is malformed, is parsed in one go, but where there are limits: there, large text that cannot be cut is refused. Throws
 * SyntaxError, also beyond a limit.
 */
export function* parseJsonSteps(bytes: Buffer, limits?: ParseLimits): Steps<unknown> {
  const { depth = Infinity, width = Infinity } = limits ?? {};
  if (bytes.length > PIECE || limits) {
    try {
      const large = yield* findLarge(bytes, depth);
      yield;
      if (large.size > 0) return yield* new Assembly(bytes, large, width).run();
    } catch (error) {
      if (error instanceof OverLimit) throw error;
      if (!(error instanceof Uncut) && !(error instanceof SyntaxError)) throw error;
      if (limits && bytes.length > PIECE) throw new SyntaxError('malformed', { cause: error });
    }
  }
  return JSON.parse(bytes.toString('utf8')) as unknown;
}
