import type { History } from '../../history/history.js';
import { LogIndex } from '../../history/log-index.js';
import type { WatchRecord } from '../../history/watch-record.js';
import { describeWatch } from '../../history/watch-record.js';
import type { CheckResult } from '../verdict.js';
import { toResult } from '../verdict.js';
import { ETCD_VALIDATORS } from './etcd-validators.js';
import { KUBERNETES_VALIDATORS } from './kubernetes-validators.js';
import { createWatchContext } from './watch-context.js';

/** Every validator, in the order in which they report. */
export const WATCH_VALIDATORS = [...KUBERNETES_VALIDATORS, ...ETCD_VALIDATORS];

/** Checker C: every watch against the log. An empty watch is always legal. */
export function checkWatches(history: History): CheckResult {
  const log = new LogIndex(history.events);
  const floorAt = createFloor(history);
  const violations = history.watches.flatMap((watch) => {
    const context = createWatchContext(watch, log, floorAt(watch.opened));
    return WATCH_VALIDATORS.flatMap(({ rule, ...validator }) =>
      validator.validate(context).map(({ message, rv, key }) => ({
        checker: 'watch' as const,
        rule,
        message: `${describeWatch(watch)}: ${message}`,
        observer: `${watch.client}#${watch.id}`,
        ...(rv === undefined ? {} : { rv }),
        ...(key === undefined ? {} : { key }),
      })),
    );
  });
  const events = history.watches.reduce((sum, { responses }) => sum + responses.length, 0);
  return toResult('watch', violations, events, describeCoverage(history.watches));
}

function describeCoverage(watches: readonly WatchRecord[]): string[] {
  const legacy = watches.filter(({ rv, sendInitialEvents }) => !rv && !sendInitialEvents).length;
  const notes = [`${watches.length} watches`];
  if (legacy > 0)
    notes.push(`${legacy} began with a state of unknown revision: completeness not checked`);
  return notes;
}

/** Highest revision acknowledged before a moment. */
function createFloor({ operations }: History): (time: number) => number {
  const acknowledged = operations
    .flatMap(({ ret, rv }) => (ret === null || rv === undefined ? [] : [{ ret, rv }]))
    .sort((a, b) => a.ret - b.ret);
  return (time) => {
    let floor = 0;
    for (const { ret, rv } of acknowledged) {
      if (ret >= time) break;
      floor = Math.max(floor, rv);
    }
    return floor;
  };
}
