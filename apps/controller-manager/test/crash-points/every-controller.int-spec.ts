import { describe, expect, it } from '@jest/globals';
import { CONTROLLERS } from '../../src/controllers/controllers.js';
import { useScenarioPlane } from './scenario-plane.js';
import { QUICK, SCENARIOS } from './scenarios/scenarios.js';
import { Trial } from './trials.js';

const plane = useScenarioPlane();
const others = SCENARIOS.filter((scenario) => !QUICK.includes(scenario));

describe('on a cluster of its own, without faults', () => {
  it.each(others)(
    '$controller does its part',
    async (scenario) => {
      const { writes } = await new Trial(plane, scenario).quick();
      expect(writes).toBeGreaterThan(0);
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
