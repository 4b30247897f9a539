/**
 * A unified diff with three lines of context, by the rules of Python's difflib and of its port go-difflib, with which
 * upstream shows what changed (apimachinery pkg/util/diff/diff.go:Diff): the longest block that both have is found first,
 * then those before and behind it. Lines that are more than a hundredth of a text of 200 lines or more anchor no block.
 */
const CONTEXT = 3;
const POPULAR_FROM = 200;

/** Pairs of lines that are looked at; texts that want more are shown as one change, so that no request takes long. */
const MAX_PAIRS = 300_000;

interface Block {
  /** First lines of the block in both texts, and its length. */
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** Where each line stands in `lines`; popular ones are left out. */
function placesIn(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [at, line] of lines.entries()) {
    const known = places.get(line);
    if (known) known.push(at);
    else places.set(line, [at]);
  }
  const most = Math.floor(lines.length / 100) + 1;
  if (lines.length >= POPULAR_FROM)
    for (const [line, at] of places) if (at.length > most) places.delete(line);
  return places;
}

interface Range {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

class Matcher {
  private readonly places: Map<string, number[]>;
  private pairs = 0;

  constructor(
    private readonly a: readonly string[],
    private readonly b: readonly string[],
  ) {
    this.places = placesIn(b);
  }

  /** The longest common block of a range: of equals the first in `a`, then the first in `b`. */
  private longest(range: Range): Block {
    let best: Block = { a: range.fromA, b: range.fromB, size: 0 };
    let ending = new Map<number, number>();
    for (let i = range.fromA; i < range.toA; i++) {
      const now = new Map<number, number>();
      const places = this.places.get(this.a[i] ?? '') ?? [];
      this.pairs += places.length + 1;
      for (const j of places) {
        if (j < range.fromB) continue;
        if (j >= range.toB) break;
        const size = (ending.get(j - 1) ?? 0) + 1;
        now.set(j, size);
        if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
      }
      ending = now;
    }
    return this.widened(best, range);
  }

  /** Popular lines anchor no block but belong to one that they stand beside. */
  private widened({ a, b, size }: Block, range: Range): Block {
    while (a > range.fromA && b > range.fromB && this.a[a - 1] === this.b[b - 1]) {
      a--;
      b--;
      size++;
    }
    while (a + size < range.toA && b + size < range.toB && this.a[a + size] === this.b[b + size])
      size++;
    return { a, b, size };
  }

  /** What both begin with and what both end with. */
  private ends(range: Range): Block[] {
    const head = this.widened({ a: 0, b: 0, size: 0 }, range);
    const tail = this.widened(
      { a: range.toA, b: range.toB, size: 0 },
      { ...range, fromA: head.size, fromB: head.size },
    );
    return [head, tail].filter(({ size }) => size > 0);
  }

  private found(): Block[] {
    const found: Block[] = [];
    const whole: Range = { fromA: 0, toA: this.a.length, fromB: 0, toB: this.b.length };
    const open = [whole];
    for (let range = open.pop(); range; range = open.pop()) {
      if (this.pairs > MAX_PAIRS) return this.ends(whole);
      const block = this.longest(range);
      if (block.size === 0) continue;
      found.push(block);
      if (range.fromA < block.a && range.fromB < block.b)
        open.push({ ...range, toA: block.a, toB: block.b });
      const [endA, endB] = [block.a + block.size, block.b + block.size];
      if (endA < range.toA && endB < range.toB) open.push({ ...range, fromA: endA, fromB: endB });
    }
    return found.sort((one, other) => one.a - other.a || one.b - other.b);
  }

  /** All common blocks in their order, neighbours joined, and an empty one at the end. */
  blocks(): Block[] {
    const joined: Block[] = [];
    for (const block of this.found()) {
      const last = joined.at(-1);
      if (last && last.a + last.size === block.a && last.b + last.size === block.b)
        joined.splice(-1, 1, { ...last, size: last.size + block.size });
      else joined.push(block);
    }
    return [...joined, { a: this.a.length, b: this.b.length, size: 0 }];
  }
}

/** A stretch of both texts that is the same or is not. */
interface Part extends Range {
  readonly isSame: boolean;
}

function partsOf(blocks: readonly Block[]): Part[] {
  const parts: Part[] = [];
  let [a, b] = [0, 0];
  for (const block of blocks) {
    if (a < block.a || b < block.b)
      parts.push({ isSame: false, fromA: a, toA: block.a, fromB: b, toB: block.b });
    [a, b] = [block.a + block.size, block.b + block.size];
    if (block.size > 0)
      parts.push({ isSame: true, fromA: block.a, toA: a, fromB: block.b, toB: b });
  }
  return parts;
}

const firstOf = (part: Part): Part => ({
  ...part,
  toA: Math.min(part.toA, part.fromA + CONTEXT),
  toB: Math.min(part.toB, part.fromB + CONTEXT),
});
const lastOf = (part: Part): Part => ({
  ...part,
  fromA: Math.max(part.fromA, part.toA - CONTEXT),
  fromB: Math.max(part.fromB, part.toB - CONTEXT),
});

/** Parts that are shown together: what is the same for more than two contexts parts them. */
function hunksOf(parts: readonly Part[]): Part[][] {
  const hunks: Part[][] = [[]];
  for (const [at, part] of parts.entries()) {
    const isEdge = at === 0 || at === parts.length - 1;
    if (!part.isSame || (!isEdge && part.toA - part.fromA <= 2 * CONTEXT)) hunks.at(-1)?.push(part);
    else {
      if (at > 0) hunks.at(-1)?.push(firstOf(part));
      if (!isEdge) hunks.push([]);
      if (at < parts.length - 1) hunks.at(-1)?.push(lastOf(part));
    }
  }
  return hunks.filter((hunk) => hunk.some(({ isSame }) => !isSame));
}

/** Lines from 1, `begin,length`; a length of 1 is not told, and an empty range begins before its place. */
function rangeText(from: number, to: number): string {
  const size = to - from;
  if (size === 1) return String(from + 1);
  return `${size === 0 ? from : from + 1},${size}`;
}

/** The diff of two texts, given by their lines; '' when they are the same. */
export function unifiedDiff(a: readonly string[], b: readonly string[]): string {
  const parts = partsOf(new Matcher(a, b).blocks());
  const lines = hunksOf(parts).flatMap((hunk) => {
    const [first, last] = [hunk[0], hunk.at(-1)];
    if (!first || !last) return [];
    return [
      `@@ -${rangeText(first.fromA, last.toA)} +${rangeText(first.fromB, last.toB)} @@`,
      ...hunk.flatMap(({ isSame, fromA, toA, fromB, toB }) =>
        isSame
          ? a.slice(fromA, toA).map((line) => ` ${line}`)
          : [
              ...a.slice(fromA, toA).map((line) => `-${line}`),
              ...b.slice(fromB, toB).map((line) => `+${line}`),
            ],
      ),
    ];
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
