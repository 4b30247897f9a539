import { goQuote } from '@orrery/apimachinery';

/** Indexes from `first` to `last`, both included. */
interface Interval {
  readonly first: number;
  readonly last: number;
}

/** What `1,3-5` says: how many indexes, in which intervals; the first problem, as upstream words it, ends the count. */
export interface Indexes {
  readonly intervals: readonly Interval[];
  /** 0 where there is a problem. */
  readonly total: number;
  readonly problem?: string;
}

const IS_INTEGER = /^[+-]?\d+$/;

function parseIndex(text: string, completions: number): number | string {
  if (!IS_INTEGER.test(text)) return `cannot convert string to integer for index: ${goQuote(text)}`;
  return Number(text) >= completions ? `too large index: ${goQuote(text)}` : Number(text);
}

/** k8s pkg/apis/batch/validation/validation.go:parseIndexInterval. */
function parseInterval(text: string, completions: number): Interval | string {
  const [low = '', high, ...rest] = text.split('-');
  if (rest.length > 0) {
    const rule = 'the requirement that an index interval can have at most two parts';
    return `the fragment ${goQuote(text)} violates ${rule} separated by '-'`;
  }
  const first = parseIndex(low, completions);
  if (typeof first === 'string') return first;
  if (high === undefined) return { first, last: first };
  const last = parseIndex(high, completions);
  if (typeof last === 'string') return last;
  return first < last ? { first, last } : outOfOrder(first, last);
}

const outOfOrder = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

/** k8s pkg/apis/batch/validation/validation.go:validateIndexesFormat. */
export function parseIndexes(text: string, completions: number): Indexes {
  const intervals: Interval[] = [];
  let total = 0;
  if (text === '') return { intervals, total };
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (typeof interval === 'string') return { intervals, total: 0, problem: interval };
    const { first, last } = interval;
    const before = intervals.at(-1);
    if (before && before.last >= first) {
      return { intervals, total: 0, problem: outOfOrder(before.last, first) };
    }
    intervals.push(interval);
    total += last - first + 1;
  }
  return { intervals, total };
}

const readable = (text: string, completions: number): Interval[] =>
  (text === '' ? [] : text.split(',')).flatMap((part) => {
    const interval = parseInterval(part, completions);
    return typeof interval === 'string' ? [] : [interval];
  });

/**
 * The first index that stands in both lists; parts that cannot be read count for nothing
 * (k8s pkg/apis/batch/validation/validation.go:validateFailedIndexesNotOverlapCompleted).
 */
export function overlapOf(a: string, b: string, completions: number): number | undefined {
  const left = readable(a, completions);
  const right = readable(b, completions);
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const [x, y] = [left[i], right[j]];
    if (!x || !y) break;
    if (x.first <= y.last && y.first <= x.last) return Math.max(x.first, y.first);
    if (x.first <= y.first) i += 1;
    else j += 1;
  }
  return undefined;
}
