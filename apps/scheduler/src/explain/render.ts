import type { Explanation, NodeExplanation } from './explain.js';

const pad = (cells: readonly (readonly string[])[]): string[] => {
  const widths = (cells[0] ?? []).map((_, i) =>
    Math.max(...cells.map((row) => (row[i] ?? '').length)),
  );
  return cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('   ')
      .trimEnd(),
  );
};

const rowsOf = ({ node, total, feasible, plugins }: NodeExplanation): string[][] => {
  const rows = plugins
    .filter(({ refusal, score }) => refusal !== '' || score !== undefined)
    .map(({ plugin, refusal, score }) => ['', plugin, score?.toString() ?? '-', refusal]);
  return [[node, feasible ? 'fits' : 'refused', total?.toString() ?? '-', ''], ...rows];
};

/** The explanation as a table for people: best node first. */
export function renderExplanation({ scheduler, refused, nodes }: Explanation): string {
  const head = `scheduler: ${scheduler}\n`;
  if (refused !== undefined) return `${head}no node is looked at: ${refused}\n`;
  const rows = [['NODE', 'PLUGIN', 'SCORE', 'REFUSED FOR'], ...nodes.flatMap(rowsOf)];
  return `${head}${pad(rows).join('\n')}\n`;
}
