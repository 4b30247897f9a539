import { afterAll, describe, expect, it } from '@jest/globals';
import { chosenScenarios } from './scenarios/scenarios.js';
import type { Scenario } from './scenario.js';
import { Report } from './report.js';
import { useScenarioPlane } from './scenario-plane.js';
import { Trial } from './trials.js';
import type { Outcome } from './trials.js';

const plane = useScenarioPlane();
const report = new Report();
/** Worlds that are played at once. */
const AT_ONCE = 4;

/** What was made, but for what may be made again. */
const notRepeated = (
  created: ReadonlyMap<string, number>,
  { mayRepeat = {} }: Scenario,
): Record<string, number> =>
  Object.fromEntries([...created].filter(([resource]) => !mayRepeat[resource]).sort());

describe.each(chosenScenarios())('$controller', (scenario) => {
  const trial = (): Trial => new Trial(plane, scenario);
  let clean: Outcome;

  it('comes to an end', async () => {
    clean = await trial().clean();
    report.start(scenario.controller, clean.writes);
  }, 150_000);

  it.each(['made', 'lost'] as const)(
    'comes to the same end when it dies at any write that is %s',
    async (write) => {
      let reached = true;
      for (let at = 1; reached; at += AT_ONCE) {
        const deaths = Array.from({ length: AT_ONCE }, (_, i) => ({ at: at + i, write }));
        const outcomes = await Promise.all(
          deaths.map((death) =>
            trial()
              .dying(death, clean)
              .catch((cause: unknown) => {
                throw new Error(`dead at write ${death.at}: ${String(cause)}`, { cause });
              }),
          ),
        );
        const died = outcomes.filter((outcome) => outcome.died);
        report.crashed(scenario.controller, died.length);
        reached = died.length === AT_ONCE;
        const made = died.map(({ created }) => notRepeated(created, scenario));
        expect(made).toEqual(died.map(() => notRepeated(clean.created, scenario)));
      }
    },
    600_000,
  );

  it.each(['frozen', 'lagging', 'skipping'] as const)(
    'makes nothing twice when its caches are %s',
    async (staleness) => {
      const { created } = await trial().stale(staleness, clean);
      expect(Object.fromEntries(created)).toEqual(Object.fromEntries(clean.created));
      report.stale(scenario.controller);
    },
    150_000,
  );
});

afterAll(() => {
  report.print();
});
