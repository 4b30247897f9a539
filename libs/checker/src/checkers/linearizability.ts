import type { History } from '../history/history.js';
import { LogIndex } from '../history/log-index.js';
import { describeOperation } from '../history/operation.js';
import { resolveOperations } from './resolve-unknown.js';
import type { ObjectState } from './object-model.js';
import { partitionByObject } from './partition.js';
import type { CheckResult, Violation } from './verdict.js';
import { toResult } from './verdict.js';
import { WglSearch } from './wgl-search.js';

export interface LinearizabilityOptions {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Time for all objects together; default 10,000. */
  readonly budgetMs?: number;
  /** First slice for each object, doubled every round; default 20. */
  readonly sliceMs?: number;
  /** Asks the log what became of unknown writes; default true. */
  readonly resolve?: boolean;
  /** What stood at a key before the first operation; default nothing. */
  readonly initial?: (key: string) => ObjectState;
}

/**
 * Checker B. Every object by itself (linearizability is local, so a history is linearizable when that of each object is), with
 * the sequential model of one Kubernetes object and no trust in the order of revisions. Reads of a cache are left out.
 */
export function checkLinearizability(
  history: History,
  options: LinearizabilityOptions,
): CheckResult {
  const { now, budgetMs = 10_000, sliceMs = 20, resolve = true, initial } = options;
  const operations = resolve
    ? resolveOperations(history, new LogIndex(history.events)).operations
    : history.operations;
  const partitions = partitionByObject(operations);
  const searches = [...partitions]
    .map(([key, own]) => new WglSearch(own, initial?.(key) ?? null))
    .sort((a, b) => a.operations.length - b.operations.length);
  const { open, illegal } = runSlices(searches, { now, deadline: now() + budgetMs, sliceMs });
  const checked = searches.reduce((sum, search) => sum + search.operations.length, 0);
  const notes = [`${partitions.size} objects, ${open} of them without a verdict in ${budgetMs} ms`];
  if (illegal) return toResult('linearizability', [describeIllegal(illegal)], checked, notes);
  const result = toResult('linearizability', [], checked, notes);
  return open > 0 ? { ...result, verdict: 'unknown' } : result;
}

interface Slices {
  readonly now: () => number;
  readonly deadline: number;
  readonly sliceMs: number;
}

/** Short turns first, so that one hard object does not hide an illegal easy one. */
function runSlices(
  searches: readonly WglSearch[],
  { now, deadline, sliceMs }: Slices,
): { readonly open: number; readonly illegal: WglSearch | undefined } {
  let open = searches;
  for (let slice = sliceMs; open.length > 0; slice *= 2) {
    const left: WglSearch[] = [];
    for (const search of open) {
      const verdict = search.run(now, Math.min(deadline, now() + slice));
      if (verdict === 'illegal') return { open: open.length - 1, illegal: search };
      if (verdict === 'unknown') left.push(search);
    }
    open = left;
    if (now() >= deadline) break;
  }
  return { open: open.length, illegal: undefined };
}

function describeIllegal(search: WglSearch): Violation {
  const operation = search.culprit ?? search.operations[0];
  const key = operation?.key ?? '';
  const what = operation ? describeOperation(operation) : key;
  return {
    checker: 'linearizability',
    rule: 'not-linearizable',
    message: `${what}: no order of the ${search.operations.length} operations on ${key} explains its answer`,
    key,
    ...(operation ? { operation } : {}),
  };
}
