import type { Operation } from '../history/operation.js';
import { endOf } from '../history/operation.js';

/** What is pending at some moment: the calls that may come next, and the operation that has to come before time goes on. */
export interface Front {
  readonly candidates: readonly number[];
  /** The operation with the earliest end still open; undefined when none has to come any more. */
  readonly first: number | undefined;
}

/**
 * The calls and returns of one partition in the order of time, as a doubly linked list from which an operation is lifted when
 * it is linearized and into which it is put back, in reverse order, on the way back (Lowe 2017; porcupine checker.go).
 */
export class Timeline {
  private readonly next: Int32Array;
  private readonly prev: Int32Array;
  private readonly head: number;
  private readonly returns: Int32Array;

  /** Entry i < n is the call of operation i, entry n + i its return. */
  constructor(readonly operations: readonly Operation[]) {
    const n = operations.length;
    this.head = 2 * n;
    this.next = new Int32Array(2 * n + 1).fill(-1);
    this.prev = new Int32Array(2 * n + 1).fill(-1);
    this.returns = Int32Array.from(operations, (operation, i) =>
      operation.outcome === 'unknown' ? -1 : n + i,
    );
    let last = this.head;
    for (const entry of this.entriesInOrder()) {
      this.next[last] = entry;
      this.prev[entry] = last;
      last = entry;
    }
  }

  /** Walks to the first return: everything called before it may come next. */
  front(): Front {
    const n = this.operations.length;
    const candidates: number[] = [];
    let entry = this.next[this.head] ?? -1;
    for (; entry >= 0 && entry < n; entry = this.next[entry] ?? -1) candidates.push(entry);
    return { candidates, first: entry < 0 ? undefined : entry - n };
  }

  lift(operation: number): void {
    this.remove(operation);
    const end = this.returns[operation] ?? -1;
    if (end >= 0) this.remove(end);
  }

  /** Undoes the last lift that was not undone yet. */
  unlift(operation: number): void {
    const end = this.returns[operation] ?? -1;
    if (end >= 0) this.restore(end);
    this.restore(operation);
  }

  private remove(entry: number): void {
    const [before, after] = [this.prev[entry] ?? -1, this.next[entry] ?? -1];
    this.next[before] = after;
    if (after >= 0) this.prev[after] = before;
  }

  private restore(entry: number): void {
    const [before, after] = [this.prev[entry] ?? -1, this.next[entry] ?? -1];
    this.next[before] = entry;
    if (after >= 0) this.prev[after] = entry;
  }

  /** At equal times calls come first: intervals are closed, touching ones are concurrent. */
  private entriesInOrder(): number[] {
    const n = this.operations.length;
    const entries: number[] = [];
    const times = new Float64Array(2 * n);
    for (const [i, operation] of this.operations.entries()) {
      entries.push(i);
      times[i] = operation.call;
      if (operation.outcome === 'unknown') continue;
      entries.push(n + i);
      times[n + i] = endOf(operation);
    }
    const time = (entry: number): number => times[entry] ?? 0;
    const isReturn = (entry: number): number => (entry < n ? 0 : 1);
    return entries.sort((a, b) =>
      time(a) === time(b) ? isReturn(a) - isReturn(b) || a - b : time(a) - time(b),
    );
  }
}
