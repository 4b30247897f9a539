import type { Operation } from '../history/operation.js';
import { endOf } from '../history/operation.js';
import type { PlacementContext } from './placement.js';

interface Step {
  readonly operation: Operation;
  readonly index: number;
  readonly floor: number;
}

/**
 * Operations by call time, each with the highest revision that was surely reached before its call: by the operations that had
 * ended, as far as they were placed on the way, and by the events that had been seen.
 */
export class FloorSweep implements Iterable<Step> {
  private readonly byCall: readonly Operation[];
  private readonly byEnd: Uint32Array;
  private readonly placed: Float64Array;
  private readonly seen: readonly { readonly rv: number; readonly at: number }[];

  constructor(operations: readonly Operation[], { log }: PlacementContext) {
    this.byCall = [...operations].sort((a, b) => a.call - b.call);
    const ends = Float64Array.from(this.byCall, endOf);
    this.byEnd = Uint32Array.from(this.byCall.keys()).sort(
      (a, b) => (ends[a] ?? 0) - (ends[b] ?? 0) || a - b,
    );
    this.placed = new Float64Array(operations.length);
    this.seen = log.events
      .flatMap(({ rv, at }) => (at === undefined ? [] : [{ rv, at }]))
      .sort((a, b) => a.at - b.at);
  }

  place(index: number, rv: number): void {
    this.placed[index] = rv;
  }

  *[Symbol.iterator](): Generator<Step> {
    let [floor, ended, observed] = [0, 0, 0];
    for (const [index, operation] of this.byCall.entries()) {
      for (; ended < this.byEnd.length; ended++) {
        const other = this.byEnd[ended] ?? 0;
        const before = this.byCall[other];
        if (!before || endOf(before) >= operation.call) break;
        floor = Math.max(floor, this.placed[other] ?? 0);
      }
      for (; observed < this.seen.length; observed++) {
        const event = this.seen[observed];
        if (!event || event.at >= operation.call) break;
        floor = Math.max(floor, event.rv);
      }
      yield { operation, index, floor };
    }
  }
}
