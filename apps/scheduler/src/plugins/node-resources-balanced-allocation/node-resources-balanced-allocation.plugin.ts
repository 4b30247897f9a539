import type { NodeInfo } from '../../cache/node-info.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { PluginEntry } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { skip, success } from '../../framework/status.js';
import { CPU_AND_MEMORY, amountOf, usedWith } from '../node-resources-fit/resource-amounts.js';

const NAME = 'NodeResourcesBalancedAllocation';

function deviation(fractions: readonly number[]): number {
  if (fractions.length === 2) return Math.abs(((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2);
  if (fractions.length < 2) return 0;
  const mean = fractions.reduce((sum, f) => sum + f, 0) / fractions.length;
  return Math.sqrt(fractions.reduce((sum, f) => sum + (f - mean) ** 2, 0) / fractions.length);
}

/** 100 when cpu and memory would be used in equal parts (k8s noderesources/balanced_allocation.go). */
export function scoreBalance(pod: PodInfo, node: NodeInfo): number {
  const fractions: number[] = [];
  for (const { name } of CPU_AND_MEMORY) {
    const capacity = amountOf(node.allocatable, name);
    if (capacity > 0) fractions.push(Math.min(1, usedWith(node, pod, name, false) / capacity));
  }
  return Math.trunc((1 - deviation(fractions)) * MAX_SCORE);
}

const asksForNothing = ({ request }: PodInfo): boolean =>
  request.milliCpu === 0 && request.memory === 0;

/** Prefers nodes whose cpu and memory fill up evenly. */
export const nodeResourcesBalancedAllocation: PluginEntry = {
  name: NAME,
  create: () => ({
    name: NAME,
    local: true,
    preScore: (_state, pod) => (asksForNothing(pod) ? skip : success),
    score: (_state, pod, node) => scoreBalance(pod, node),
  }),
};
