import { describe, expect, it } from '@jest/globals';
import { CONTROLLERS } from '../../src/controllers/controllers.js';
import { useScenarioPlane } from './scenario-plane.js';
import { QUICK, SCENARIOS } from './scenarios/scenarios.js';
import { TOLD } from './scenarios/told.js';
import { Trial } from './trials.js';

const plane = useScenarioPlane();
// The quick ones are played with every death; here for what they tell.
const played = SCENARIOS.filter(
  (scenario) => !QUICK.includes(scenario) || TOLD[scenario.controller],
);

describe('on a cluster of its own, without faults', () => {
  it.each(played)(
    '$controller does its part, and tells of it',
    async (scenario) => {
      const { writes, metrics } = await new Trial(plane, scenario).quick();
      expect(writes).toBeGreaterThan(0);
      const wanted = TOLD[scenario.controller] ?? [];
      expect(wanted.filter((line) => !metrics.some((told) => line.test(told)))).toEqual([]);
    },
    60_000,
  );

  it('every controller has its scenario', () => {
    const names = (list: readonly string[]): string[] => [...list].sort();
    expect(names(SCENARIOS.map(({ controller }) => controller))).toEqual(
      names(CONTROLLERS.map(({ name }) => name)),
    );
  });
});
