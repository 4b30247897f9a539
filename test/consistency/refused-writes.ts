import type { CheckResult, History } from '@orrery/checker';
import { LogIndex, describeOperation, isWrite, resolveOperations } from '@orrery/checker';

/** The API server answers a write so only when it knows that nothing was written; else it says 504. */
const NOTHING_WRITTEN = 'ServiceUnavailable';

/**
 * The checkers take every 5xx of a write as "unknown". A 503 of this API says more, "nothing was written", and is held to it:
 * an unknown outcome must never be told as a failure.
 */
export function checkRefusedWrites(history: History): CheckResult {
  const { operations } = resolveOperations(history, new LogIndex(history.events));
  const refused = operations.filter(({ f, reason }) => isWrite(f) && reason === NOTHING_WRITTEN);
  const violations = refused
    .filter(({ resolved }) => resolved)
    .map((operation) => ({
      checker: 'revision-order' as const,
      rule: 'unknown-told-as-failure',
      message: `${describeOperation(operation)}: answered 503, "nothing was written", yet in the log at ${operation.rv}`,
      key: operation.key,
      operation,
    }));
  const claims = history.operations.filter(
    ({ f, reason }) => isWrite(f) && reason === NOTHING_WRITTEN,
  );
  return {
    checker: 'revision-order',
    verdict: violations.length > 0 ? 'illegal' : 'ok',
    violations,
    checked: claims.length,
    notes: [`${claims.length} writes answered with 503`],
  };
}
