import type { History } from '../history/history.js';
import type { InformerRecord, InformerStep } from '../history/informer-record.js';
import { LogIndex } from '../history/log-index.js';
import type { ObjectVersion } from '../history/object-version.js';
import { describeDifference } from './placement.js';
import type { CheckResult, Violation } from './verdict.js';
import { toResult } from './verdict.js';

/** Checker D: at the end every informer's store is the LIST; on the way its revision never went back without a 410 or a new epoch. */
export function checkInformers(history: History): CheckResult {
  const log = new LogIndex(history.events);
  const violations = history.informers.flatMap((informer) => [
    ...checkSteps(informer, log),
    ...checkEnd(informer, log),
  ]);
  const steps = history.informers.reduce((sum, informer) => sum + informer.steps.length, 0);
  return toResult('informer-convergence', violations, steps, [
    `${history.informers.length} informers`,
  ]);
}

function toViolation(informer: InformerRecord, rule: string, message: string): Violation {
  return {
    checker: 'informer-convergence',
    rule,
    message: `informer ${informer.client} of ${informer.scope}: ${message}`,
    observer: informer.client,
  };
}

function revisionOf(step: InformerStep): number {
  return step.type === 'change' ? step.object.rv : step.rv;
}

function mayGoBack(step: InformerStep): boolean {
  return step.type === 'replace' && (step.reason === 'expired' || step.reason === 'epoch');
}

function checkSteps(informer: InformerRecord, log: LogIndex): Violation[] {
  const violations: Violation[] = [];
  const store = new Map<string, ObjectVersion>();
  let highest = 0;
  for (const step of informer.steps) {
    const rv = revisionOf(step);
    if (rv < highest && !mayGoBack(step))
      violations.push(
        toViolation(informer, 'went-back', `${step.type} of revision ${rv} after ${highest}`),
      );
    highest = mayGoBack(step) ? rv : Math.max(highest, rv);
    applyStep(store, step);
    if (step.type !== 'replace') continue;
    const difference = describeDifference(
      step.items,
      log.snapshot(informer.scope, rv, informer.selector),
    );
    if (difference !== undefined)
      violations.push(
        toViolation(informer, 'wrong-list', `replaced at revision ${rv}: ${difference}`),
      );
  }
  const difference = describeDifference(informer.store, [...store.values()]);
  if (difference !== undefined)
    violations.push(
      toViolation(informer, 'wrong-store', `its own steps do not make its store: ${difference}`),
    );
  return violations;
}

function applyStep(store: Map<string, ObjectVersion>, step: InformerStep): void {
  if (step.type === 'replace') {
    store.clear();
    for (const item of step.items) store.set(item.key, item);
  } else if (step.type === 'change')
    if (step.change === 'DELETED') store.delete(step.object.key);
    else store.set(step.object.key, step.object);
}

function checkEnd(informer: InformerRecord, log: LogIndex): Violation[] {
  const { scope, selector, list } = informer;
  const real = list?.items ?? log.snapshot(scope, log.lastRv, selector);
  const difference = describeDifference(informer.store, real);
  if (difference === undefined) return [];
  return [toViolation(informer, 'not-converged', `at the end ${difference}`)];
}
