import type { NodeInfo } from '../../cache/node-info.js';
import type { CycleState } from '../../framework/cycle-state.js';
import type { PodDisruptionBudget } from '../../framework/listed-kinds.js';
import type { FilterRunner } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { isSuccess, unresolvable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { byImportance } from './candidate.js';
import type { Candidate } from './candidate.js';
import { splitByBudget } from './disruption-budgets.js';

export interface DryRun {
  readonly filters: FilterRunner;
  readonly state: CycleState;
  readonly pod: PodInfo;
  readonly budgets: readonly PodDisruptionBudget[];
}

/**
 * The fewest and least important pods whose leaving lets the pod in: all of lower priority leave, then as many as
 * possible come back, the most important and those with a budget first (k8s default_preemption.go:SelectVictimsOnNode).
 */
export function findVictims(original: NodeInfo, run: DryRun): Candidate | Status {
  const { filters, pod } = run;
  const node = original.clone();
  const state = run.state.clone();
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority);
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod');
  for (const other of lower) filters.removePod(state, pod, other, node);
  const status = filters.filterWithNominated(state, pod, node);
  if (!isSuccess(status)) return status;
  const { violating, allowed } = splitByBudget(lower.sort(byImportance), run.budgets);
  const victims: PodInfo[] = [];
  const mustGo = (other: PodInfo): boolean => {
    filters.addPod(state, pod, other, node);
    if (isSuccess(filters.filterWithNominated(state, pod, node))) return false;
    filters.removePod(state, pod, other, node);
    victims.push(other);
    return true;
  };
  const violations = violating.filter(mustGo).length;
  for (const other of allowed) mustGo(other);
  return { nodeName: node.name, victims: victims.sort(byImportance), violations };
}
