import type { HistorySummary } from '../histories.js';
import type { RowResult } from './scorecard.js';
import { percentile } from './scorecard.js';

const GOALS = { kinds: 16, histories: 100, operations: 150_000, events: 300_000, p99Ms: 2000 };

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

function kindRow(done: readonly HistorySummary[], violations: number): RowResult {
  const kinds = [...new Set(done.map(({ fault }) => fault))];
  const survived = kinds.filter((kind) => {
    const own = done.filter(({ fault }) => fault === kind);
    return own.some(({ verdict }) => verdict === 'ok') && !own.some(isBad);
  });
  const rest = kinds.filter((kind) => !survived.includes(kind));
  return {
    row: 1,
    value: `${survived.length}/${kinds.length}`,
    verdict: violations > 0 ? 'violated' : survived.length >= GOALS.kinds ? 'met' : 'below',
    details: [
      `survived: ${survived.join(', ')}`,
      ...(rest.length > 0 ? [`not: ${rest.join(', ')}`] : []),
      'pause controller checks the hand-over; writes of a deposed leader are row 16 (there are no fenced writes yet)',
    ],
  };
}

function isBad({ verdict }: HistorySummary): boolean {
  return verdict === 'illegal' || verdict === 'failed';
}

/** Rows 1 to 5 and 23, from what the histories came to. */
export function historyRows(done: readonly HistorySummary[], first: number): RowResult[] {
  const count = (verdict: HistorySummary['verdict']): number =>
    done.filter((each) => each.verdict === verdict).length;
  const violations = count('illegal') + count('failed');
  const checked = done.filter(({ verdict }) => verdict === 'ok' || verdict === 'illegal');
  const operations = sum(checked.map((each) => each.operations));
  const events = sum(checked.map(({ watchEvents }) => watchEvents));
  const convergence = done.flatMap(({ convergenceMs }) => convergenceMs);
  const p99 = percentile(convergence, 99);
  const verdictOf = (value: number, goal: number): RowResult['verdict'] =>
    violations > 0 ? 'violated' : value >= goal ? 'met' : 'below';
  const slow = done.filter(({ timers }) => timers === 'default').length;
  return [
    kindRow(done, violations),
    {
      row: 2,
      value: `${count('ok')}/${done.length}`,
      verdict:
        count('unknown') > 0 && violations === 0
          ? 'below'
          : verdictOf(count('ok'), GOALS.histories),
      details: [
        `n=${done.length}, seeds ${first} to ${first + done.length - 1}; ${done.length - slow} with 20/200 ms timers, ${slow} with 100/1000 ms`,
        `${count('illegal')} illegal, ${count('unknown')} unknown, ${count('void')} void, ${count('failed')} failed`,
      ],
    },
    {
      row: 3,
      value: operations.toLocaleString('en'),
      verdict: verdictOf(operations, GOALS.operations),
      details: [`${sum(checked.map(({ unknown }) => unknown))} of them writes of unknown outcome`],
    },
    { row: 4, value: events.toLocaleString('en'), verdict: verdictOf(events, GOALS.events) },
    {
      row: 5,
      value: `${count('void')} void`,
      verdict: 'met',
      details: done
        .filter(({ verdict }) => verdict === 'void')
        .map(({ seed, reason }) => `seed ${seed}: ${reason ?? ''}`),
    },
    {
      row: 23,
      value: convergence.length === 0 ? '-' : `${Math.round(p99)} ms`,
      verdict: convergence.length > 0 && p99 < GOALS.p99Ms ? 'met' : 'below',
      details: [
        `n=${convergence.length}, median ${Math.round(percentile(convergence, 50))}, max ${Math.round(Math.max(0, ...convergence))} ms; from the end of the fault (what was broken serves again) until the store has everything written before`,
      ],
    },
  ];
}
