import type { CheckResult } from '../checkers/verdict.js';

const HEADER = ['CHECKER', 'VERDICT', 'CHECKED', 'VIOLATIONS', 'NOTES'] as const;

/** A table of verdicts for a terminal, with the first violations of each checker below. */
export function formatVerdicts(results: readonly CheckResult[], shown = 5): string {
  const rows = results.map(({ checker, verdict, checked, violations, notes }) => [
    checker,
    verdict,
    String(checked),
    String(violations.length),
    notes.join('; '),
  ]);
  const table = alignColumns([[...HEADER], ...rows]);
  const details = results.flatMap(({ violations }) => [
    ...violations
      .slice(0, shown)
      .map(({ checker, rule, message }) => `${checker}/${rule}: ${message}`),
    ...(violations.length > shown ? [`… and ${violations.length - shown} more`] : []),
  ]);
  return [...table, ...details, ''].join('\n');
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
