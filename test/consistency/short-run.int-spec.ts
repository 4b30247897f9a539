import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@orrery/checker';
import { SystemRandom } from '@orrery/component';
import { Cluster } from './cluster/cluster.js';
import { TIMERS } from './cluster/etcd-cluster.js';
import { CONTROLS, runControl } from './controls/controls.js';
import { FAULTS } from './histories.js';
import { StateCoverage } from './report/state-coverage.js';
import { runHistory } from './run-history.js';

/** One of each family; `npm run check:consistency` has them all. */
const SHORT = ['kill leader', 'isolate leader', 'kill API server', 'compaction storm'];

describe('a real cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({
      timers: TIMERS.fast,
      replicas: ['cache', 'quorum', 'cache'],
      block: 225,
      random: new SystemRandom(),
    });
  }, 60_000);

  afterAll(async () => {
    await cluster?.stop();
  }, 30_000);

  const plan = (seed: number) => ({
    seed,
    random: createSeededRandom(seed),
    loadMs: 300,
    holdMs: 400,
    clients: 6,
    coverage: new StateCoverage(),
  });

  it.each(SHORT.map((name, i) => ({ name, seed: 100 + i })))(
    'keeps its promises under: $name',
    async ({ name, seed }) => {
      const fault = FAULTS.find((each) => each.name === name);
      if (!fault) throw new Error(`no fault ${name}`);
      const { verdict, results } = await runHistory(cluster, { ...plan(seed), fault });
      const violations = results.flatMap((result) => result.violations.map((v) => v.message));
      expect(violations).toEqual([]);
      // A busy machine may see too little; it may not see anything impossible.
      expect(['ok', 'void']).toContain(verdict);
    },
    60_000,
  );

  it.each(CONTROLS.map((control, i) => ({ name: control.name, control, seed: 200 + i })))(
    'is found out when it lies: $name',
    async ({ control, seed }) => {
      const { verdict, results } = await runControl(cluster, control, {
        ...plan(seed),
        drainMs: 1500,
      });
      const rules = results.flatMap((result) => result.violations.map(({ rule }) => rule));
      expect(verdict).toBe('illegal');
      expect(control.rules.filter((rule) => rules.includes(rule))).not.toEqual([]);
    },
    60_000,
  );
});
