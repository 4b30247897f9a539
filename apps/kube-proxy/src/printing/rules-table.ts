import type { ServiceRule } from '@orrery/dataplane';

const HEAD = ['SERVICE', 'PROTO', 'ADDRESS', 'KIND', 'CHOICE', 'AFFINITY', 'ENDPOINTS'] as const;

/** Aligns columns as kubectl does: three spaces between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('   ')
          .trimEnd() + '\n',
    )
    .join('');
}

/** One line a frontend: what the dataplane is told to do there. */
export function rulesTable(rules: readonly ServiceRule[]): string {
  const rows = rules.flatMap((rule) =>
    rule.frontends.map(({ address, port, kind }) => [
      rule.id.split(' ')[0] ?? '',
      rule.protocol,
      `${address}:${port}`,
      kind,
      rule.policy,
      rule.affinityMs > 0 ? `${rule.affinityMs / 1_000}s` : '<none>',
      rule.backends.map((one) => `${one.address}:${one.port}`).join(',') || '<none>',
    ]),
  );
  return columns([HEAD, ...rows]);
}
