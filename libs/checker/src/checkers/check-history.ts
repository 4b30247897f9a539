import type { History } from '../history/history.js';
import { checkInformers } from './informer-convergence.js';
import type { LinearizabilityOptions } from './linearizability.js';
import { checkLinearizability } from './linearizability.js';
import type { RevisionOrderOptions } from './revision-order.js';
import { checkRevisionOrder } from './revision-order.js';
import type { CheckResult, Verdict } from './verdict.js';
import { checkWatches } from './watch/check-watches.js';

export type CheckOptions = LinearizabilityOptions & RevisionOrderOptions;

/** All four checkers over one history. */
export function checkHistory(history: History, options: CheckOptions): readonly CheckResult[] {
  return [
    checkRevisionOrder(history, options),
    checkLinearizability(history, options),
    checkWatches(history),
    checkInformers(history),
  ];
}

/** illegal if any is, else unknown if any is: only a history that every checker passed is ok. */
export function overallVerdict(results: readonly CheckResult[]): Verdict {
  if (results.some(({ verdict }) => verdict === 'illegal')) return 'illegal';
  return results.some(({ verdict }) => verdict === 'unknown') ? 'unknown' : 'ok';
}
