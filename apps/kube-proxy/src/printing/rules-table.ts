import type { Backend, ServiceRule } from '@orrery/dataplane';

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

const endpoints = (backends: readonly Backend[]): string =>
  backends.map((one) => `${one.address}:${one.port}`).join(',') || '<none>';

/** One line a frontend: what the dataplane is told to do there, and another for clients of the cluster where that differs. */
export function rulesTable(rules: readonly ServiceRule[]): string {
  const rows = rules.flatMap((rule) =>
    rule.frontends.flatMap(({ address, port, kind }) => {
      const row = (where: string, backends: readonly Backend[]): string[] => [
        rule.id.split(' ')[0] ?? '',
        rule.protocol,
        `${address}:${port}`,
        where,
        rule.policy,
        rule.affinityMs > 0 ? `${rule.affinityMs / 1_000}s` : '<none>',
        endpoints(backends),
      ];
      const { backends, inside } = rule;
      return [row(kind, backends), ...(inside ? [row(`${kind}, inside`, inside.backends)] : [])];
    }),
  );
  return columns([HEAD, ...rows]);
}
