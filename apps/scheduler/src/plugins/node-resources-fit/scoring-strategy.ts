import type { NodeInfo } from '../../cache/node-info.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { CPU_AND_MEMORY, amountOf, usedWith } from './resource-amounts.js';
import type { WeightedResource } from './resource-amounts.js';

export interface ShapePoint {
  readonly utilization: number;
  /** 0 to 10. */
  readonly score: number;
}

export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
  readonly resources: readonly WeightedResource[];
  readonly shape: readonly ShapePoint[];
}

export const LEAST_ALLOCATED: ScoringStrategy = {
  type: 'LeastAllocated',
  resources: CPU_AND_MEMORY,
  shape: [],
};

/** The shape between its points, at a utilization of 0 to 100; whole numbers as upstream's. */
function onShape(shape: readonly ShapePoint[], utilization: number): number {
  let before: ShapePoint | undefined;
  for (const point of shape) {
    const score = point.score * 10;
    if (utilization <= point.utilization) {
      if (!before) return score;
      const low = before.score * 10;
      const width = point.utilization - before.utilization;
      return low + Math.trunc(((score - low) * (utilization - before.utilization)) / width);
    }
    before = point;
  }
  return (before?.score ?? 0) * 10;
}

function scoreOf(strategy: ScoringStrategy, used: number, capacity: number): number {
  switch (strategy.type) {
    case 'LeastAllocated':
      return used > capacity ? 0 : Math.floor(((capacity - used) * MAX_SCORE) / capacity);
    case 'MostAllocated':
      return Math.floor((Math.min(used, capacity) * MAX_SCORE) / capacity);
    case 'RequestedToCapacityRatio':
      return onShape(strategy.shape, used > capacity ? 100 : Math.floor((used * 100) / capacity));
  }
}

/** How well the node suits the pod by what would be left of it, 0 to 100. */
export function scoreAllocation(strategy: ScoringStrategy, pod: PodInfo, node: NodeInfo): number {
  let total = 0;
  let weights = 0;
  for (const { name, weight } of strategy.resources) {
    const capacity = amountOf(node.allocatable, name);
    if (capacity === 0) continue;
    const extended = name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage';
    if (extended && amountOf(pod.request, name) === 0) continue;
    const score = scoreOf(strategy, usedWith(node, pod, name, true), capacity);
    if (strategy.type === 'RequestedToCapacityRatio' && score === 0) continue;
    total += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return strategy.type === 'RequestedToCapacityRatio'
    ? Math.round(total / weights)
    : Math.floor(total / weights);
}
