import {
  MUTANTS,
  applyMutant,
  checkHistory,
  createSeededRandom,
  generateHistory,
  overallVerdict,
} from '@orrery/checker';
import type { RowResult } from '../report/scorecard.js';
import type { RowContext } from './row.js';

const LEGAL = 100;
const OPERATIONS = 200;
const now = (): number => performance.now();

/** Row 6: the checkers themselves. Each seeded lie must be found, and no legal history may be called illegal. */
export function runMutants({ seed, say }: RowContext): RowResult {
  say('row 6: the checkers against seeded lies');
  const legal = Array.from({ length: LEGAL }, (_, i) =>
    generateHistory({ seed: seed * 1000 + i, operations: OPERATIONS, unknownRate: 0.05 }),
  );
  const passed = legal.filter(
    (history) => overallVerdict(checkHistory(history, { now })) === 'ok',
  ).length;
  const missed = MUTANTS.filter((mutant) => {
    for (const [i, history] of legal.entries()) {
      const lie = applyMutant(mutant, history, createSeededRandom(i));
      if (lie) return overallVerdict(checkHistory(lie, { now })) !== 'illegal';
    }
    return true;
  }).map(({ name }) => name);
  const caught = MUTANTS.length - missed.length;
  return {
    row: 6,
    value: `${caught}/${MUTANTS.length}; ${passed}/${LEGAL}`,
    verdict: missed.length === 0 && passed === LEGAL ? 'met' : 'violated',
    details: [
      `seed ${seed}, ${OPERATIONS} operations a history`,
      ...(missed.length > 0 ? [`missed: ${missed.join(', ')}`] : []),
    ],
  };
}
