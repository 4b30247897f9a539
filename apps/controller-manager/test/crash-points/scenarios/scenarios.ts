import type { Scenario } from '../scenario.js';
import * as claims from './claims.js';
import * as cluster from './cluster.js';
import * as credentials from './credentials.js';
import * as more from './more-workloads.js';
import * as nodes from './nodes.js';
import * as services from './services.js';
import * as volumes from './volumes.js';
import { deploymentScenario, jobScenario, statefulSetScenario } from './workloads.js';

/** Tried with every `npm test`. */
export const QUICK: readonly Scenario[] = [deploymentScenario, statefulSetScenario, jobScenario];

/** One for each controller of the list. */
export const SCENARIOS: readonly Scenario[] = [
  ...QUICK,
  ...[more, services, nodes, volumes, claims, credentials, cluster].flatMap((file) =>
    Object.values<Scenario>(file),
  ),
];

/** Those of the controllers that CRASH_POINTS names (`all` = every one); else the quick ones. */
export function chosenScenarios(): readonly Scenario[] {
  const names = (process.env['CRASH_POINTS'] ?? '').split(' ').filter(Boolean);
  if (names.length === 0) return QUICK;
  if (names.includes('all')) return SCENARIOS;
  const chosen = SCENARIOS.filter(({ controller }) =>
    names.some((name) => controller === name || controller === `${name}-controller`),
  );
  if (chosen.length === 0)
    throw new Error(`none of: ${SCENARIOS.map(({ controller }) => controller).join(', ')}`);
  return chosen;
}
