/** How a row came out: `below` = less was done than the goal asks for; `violated` = a promise was broken. */
export type RowVerdict = 'met' | 'below' | 'violated' | 'not run';

export interface RowResult {
  readonly row: number;
  readonly value: string;
  readonly verdict: RowVerdict;
  /** What the value is made of: n, seeds, what is missing and why. */
  readonly details?: readonly string[];
}

interface RowTitle {
  readonly row: number;
  readonly metric: string;
  readonly goal: string;
}

/** The scorecard of the project's consistency design; other parts of the project measure the rows that print 'not run'. */
const ROWS: readonly RowTitle[] = [
  { row: 1, metric: 'Fault kinds survived / tried', goal: '16/16' },
  { row: 2, metric: 'Faulted histories: 0 violations, 0 unknown', goal: '100' },
  { row: 3, metric: 'Operations in checked histories', goal: '150,000' },
  { row: 4, metric: 'Watch events validated', goal: '300,000' },
  { row: 5, metric: 'Void runs (load too small) reported', goal: 'yes' },
  { row: 6, metric: 'Checker mutants caught; legal histories passed', goal: '20/20; 100/100' },
  { row: 7, metric: "API states covered (upstream's classes)", goal: '>= 72/80' },
  { row: 8, metric: 'Labs green and their controls red', goal: '20/20 + 20/20' },
  { row: 9, metric: 'Known bugs reproduced live', goal: '4' },
  { row: 10, metric: 'CVE classes resisted', goal: '27/27' },
  { row: 11, metric: 'Controller crash points with the same end', goal: '3 controllers' },
  { row: 12, metric: 'Inputs fuzzed', goal: '1,000,000' },
  { row: 13, metric: 'HTTP-level fuzz requests', goal: '20,000' },
  { row: 14, metric: 'Round trip of golden objects per kind', goal: '100 %' },
  {
    row: 15,
    metric: 'Write-unavailability after leader kill, median / max',
    goal: '20/200 ms: < 0.6 / 1.5 s; default: < 2.5 / 4 s',
  },
  { row: 16, metric: 'Hot-standby take-over; writes by non-holders', goal: '< lease + 2 s; 0' },
  {
    row: 17,
    metric: 'API server replica killed: reads failed after retry / lost acks',
    goal: '0 / 0',
  },
  { row: 18, metric: 'Proxy: connections held at once; bytes lost', goal: '4,000; 0' },
  { row: 19, metric: 'Proxy semantics', goal: '24/24' },
  { row: 20, metric: 'Endpoint churn: failed connections', goal: '0 in 1,000 changes' },
  { row: 21, metric: 'Slowloris: normal p99', goal: '< 2x base' },
  { row: 22, metric: 'Soak', goal: '3 min smoke' },
  { row: 23, metric: 'Informer convergence after fault, p99', goal: '< 2 s' },
  { row: 24, metric: 'Crash durability: acked = read back', goal: '20/20' },
];

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** All 24 rows, then what the figures are made of. */
export function formatScorecard(results: readonly RowResult[]): string {
  const byRow = new Map(results.map((result) => [result.row, result]));
  const table = ROWS.map(({ row, metric, goal }) => {
    const { value = '-', verdict = 'not run' } = byRow.get(row) ?? {};
    return [String(row), metric, goal, value, verdict];
  });
  const lines = align([['ROW', 'METRIC', 'GOAL (QUICK)', 'THIS RUN', 'VERDICT'], ...table]);
  const details = results.flatMap(({ row, details: own = [] }) =>
    own.map((text) => `row ${row}: ${text}`),
  );
  return [...lines, '', ...details, ''].join('\n');
}

/** Median and maximum in milliseconds, as text; `-` of nothing. */
export function formatMs(values: readonly number[]): string {
  return values.length === 0
    ? '-'
    : `${Math.round(percentile(values, 50))} / ${Math.round(Math.max(...values))} ms`;
}

/** The smallest value that so many percent do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}
