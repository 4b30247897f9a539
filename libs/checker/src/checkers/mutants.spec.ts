import { describe, expect, it } from '@jest/globals';
import { generateHistory } from '../generators/generate-history.js';
import { MUTANTS, applyMutant } from '../generators/mutants/mutants.js';
import type { Mutant } from '../generators/mutants/mutation.js';
import { createSeededRandom } from '../generators/seeded-random.js';
import type { History } from '../history/history.js';
import { checkHistory } from './check-history.js';

const SEEDS = 5;
const legal = Array.from({ length: 40 }, (_, seed) =>
  generateHistory({ seed: seed + 1000, operations: 200, unknownRate: 0.05 }),
);

/** The first histories that give an occasion for the lie. */
function mutate(mutant: Mutant): History[] {
  const mutated: History[] = [];
  for (const [seed, history] of legal.entries()) {
    const changed = applyMutant(mutant, history, createSeededRandom(seed));
    if (changed) mutated.push(changed);
    if (mutated.length === SEEDS) break;
  }
  return mutated;
}

describe('mutants', () => {
  it('are at least 20, each with a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
  });

  it.each(MUTANTS.map((mutant) => ({ name: mutant.name, mutant })))(
    'catches: $name',
    ({ mutant }) => {
      const mutated = mutate(mutant);
      expect(mutated).toHaveLength(SEEDS);
      for (const history of mutated) {
        const results = checkHistory(history, { now: () => performance.now() });
        const { verdict, violations } =
          results.find(({ checker }) => checker === mutant.checker) ?? {};
        expect({ verdict, rules: violations?.map(({ rule }) => rule) }).toEqual({
          verdict: 'illegal',
          rules: expect.arrayContaining([mutant.rule]),
        });
      }
    },
  );
});
