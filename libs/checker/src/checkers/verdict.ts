import type { Operation } from '../history/operation.js';

/** `unknown` = the budget ran out or the record does not suffice; it never counts as passed. */
export type Verdict = 'ok' | 'illegal' | 'unknown';

export type CheckerName = 'revision-order' | 'linearizability' | 'watch' | 'informer-convergence';

/** One thing that must not have happened. */
export interface Violation {
  readonly checker: CheckerName;
  /** Short name of the broken rule: `stale-read`, `ordered`, … */
  readonly rule: string;
  readonly message: string;
  readonly key?: string;
  readonly rv?: number;
  /** The first operation that cannot be explained. */
  readonly operation?: Operation;
  /** `client#id` of the watch, or the informer's client. */
  readonly observer?: string;
}

export interface CheckResult {
  readonly checker: CheckerName;
  readonly verdict: Verdict;
  readonly violations: readonly Violation[];
  /** How many operations, events or steps were looked at. */
  readonly checked: number;
  /** What the verdict does not cover, in words. */
  readonly notes: readonly string[];
}

/** ok without violations, else illegal. */
export function toResult(
  checker: CheckerName,
  violations: readonly Violation[],
  checked: number,
  notes: readonly string[] = [],
): CheckResult {
  return { checker, verdict: violations.length > 0 ? 'illegal' : 'ok', violations, checked, notes };
}
