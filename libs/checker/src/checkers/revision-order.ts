import type { History } from '../history/history.js';
import { LogIndex } from '../history/log-index.js';
import type { Operation } from '../history/operation.js';
import { describeOperation, endOf, isWrite } from '../history/operation.js';
import { resolveOperations } from './resolve-unknown.js';
import { checkAttribution } from './attribution.js';
import { checkListPages } from './list-pages.js';
import { checkLog } from './log-rules.js';
import { FloorSweep } from './floor-sweep.js';
import type { Placement, PlacementContext } from './placement.js';
import { placeOperation } from './placement.js';
import type { CheckResult, Violation } from './verdict.js';
import { toResult } from './verdict.js';

export interface RevisionOrderOptions {
  /** Keys only the recorded clients write; default: every key one of them wrote or tried to write. */
  readonly isOwn?: (key: string) => boolean;
}

/**
 * Checker A. The revision is the order the server claims, so it only has to be held against real time and the log: every
 * operation gets the earliest revision at which its answer was true, not before any operation that had ended when it was
 * called. Since all bounds are lower bounds, an operation without such a revision proves the history impossible. O(n log n).
 */
export function checkRevisionOrder(
  history: History,
  options: RevisionOrderOptions = {},
): CheckResult {
  const log = new LogIndex(history.events);
  const { operations, makers, applied, never, open } = resolveOperations(history, log);
  const written = new Set(history.operations.filter(({ f }) => isWrite(f)).map(({ key }) => key));
  const isOwn = options.isOwn ?? ((key: string) => written.has(key));
  const violations = [
    ...checkLog(log, { coverage: history.coverage, isOwn }),
    ...checkAttribution(log, { recorded: history.operations, operations, makers, isOwn }),
    ...sweep(operations, { log, makers, isComplete: history.coverage.complete }),
    ...checkListPages(operations, log),
  ];
  const notes = [`unknown writes: ${applied} applied, ${never} never, ${open} open`];
  return toResult('revision-order', violations, operations.length, notes);
}

/** Walks the operations in the order of their calls; the floor is what had been reached before each. */
function sweep(operations: readonly Operation[], context: PlacementContext): Violation[] {
  const violations: Violation[] = [];
  const floors = new FloorSweep(operations, context);
  const ceilingOf = createCeiling(context);
  for (const { operation, index, floor } of floors) {
    const placement = blameFuture(
      placeOperation(operation, floor, context),
      floor,
      ceilingOf(operation),
    );
    if ('rule' in placement) {
      violations.push({
        checker: 'revision-order',
        rule: placement.rule,
        message: `${describeOperation(operation)}: ${placement.message}`,
        key: operation.key,
        ...(operation.rv === undefined ? {} : { rv: operation.rv }),
        operation,
      });
      floors.place(index, floor);
    } else floors.place(index, placement.rv);
  }
  return violations;
}

/**
 * Puts the blame where it belongs: on a read or refusal that was first true after a write that was called later, unless that had
 * been reached before. The verdict does not need it, for that write would then have come too late.
 */
function blameFuture(placement: Placement, floor: number, ceiling: number): Placement {
  if ('rule' in placement || placement.rv < ceiling || floor >= ceiling) return placement;
  return {
    rule: 'answer-from-the-future',
    message: `first true at revision ${placement.rv}, but the write of ${ceiling} was called later`,
  };
}

/** The lowest revision made by a write that was called after the read or refusal had ended. */
function createCeiling({ makers }: PlacementContext): (operation: Operation) => number {
  const writes = [...makers].map(([{ rv }, { call }]) => ({ rv, call }));
  writes.sort((a, b) => a.call - b.call);
  const lowest = new Float64Array(writes.length + 1).fill(Infinity);
  for (let i = writes.length - 1; i >= 0; i--)
    lowest[i] = Math.min(lowest[i + 1] ?? Infinity, writes[i]?.rv ?? Infinity);
  return (operation) => {
    if (isWrite(operation.f) && operation.outcome === 'ok') return Infinity;
    const end = endOf(operation);
    let [low, high] = [0, writes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((writes[middle]?.call ?? 0) > end) high = middle;
      else low = middle + 1;
    }
    return lowest[low] ?? Infinity;
  };
}
