import type { ReplicaSet } from '@orrery/api';
import type { Resize, Rollout } from './rollout.js';
import {
  activeSets,
  allSets,
  availableOf,
  desiredOf,
  fenceposts,
  sizeOf,
  totalSize,
} from './rollout.js';

/** The size that the new ReplicaSet may have now (k8s deployment_util.go: NewRSNewReplicas). */
export function newSetSize(rollout: Rollout): number {
  const desired = desiredOf(rollout.deployment);
  const current = rollout.newSet ? sizeOf(rollout.newSet) : 0;
  if (current >= desired) return desired;
  const room = desired + fenceposts(rollout.deployment).surge - totalSize(allSets(rollout));
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

/**
 * One step of a rolling update (k8s pkg/controller/deployment/rolling.go): first the new set grows as far as
 * maxSurge lets it, else the old ones shrink as far as maxUnavailable lets them, unhealthy pods first.
 */
export function rollingStep(rollout: Rollout): Resize[] {
  const { newSet } = rollout;
  if (!newSet) return [];
  const size = newSetSize(rollout);
  if (size !== sizeOf(newSet)) return [{ replicaSet: newSet, replicas: size }];
  return shrinkOldSets(rollout, newSet);
}

function shrinkOldSets(rollout: Rollout, newSet: ReplicaSet): Resize[] {
  const old = activeSets(rollout.oldSets);
  if (old.length === 0) return [];
  const sets = allSets(rollout);
  const minAvailable = desiredOf(rollout.deployment) - fenceposts(rollout.deployment).unavailable;
  const newUnavailable = sizeOf(newSet) - availableOf(newSet);
  const maxRemoved = totalSize(sets) - minAvailable - newUnavailable;
  if (maxRemoved <= 0) return [];
  const sizes = new Map(old.map((rs) => [rs, sizeOf(rs)]));
  removeUnhealthy(sizes, maxRemoved);
  const available = sets.reduce((sum, rs) => sum + availableOf(rs), 0);
  removeUpTo(sizes, available - minAvailable);
  return old
    .map((replicaSet) => ({ replicaSet, replicas: sizes.get(replicaSet) ?? 0 }))
    .filter(({ replicaSet, replicas }) => replicas !== sizeOf(replicaSet));
}

function removeUnhealthy(sizes: Map<ReplicaSet, number>, max: number): void {
  let left = max;
  for (const [rs, size] of sizes) {
    const count = Math.max(Math.min(left, size - availableOf(rs)), 0);
    sizes.set(rs, size - count);
    left -= count;
  }
}

function removeUpTo(sizes: Map<ReplicaSet, number>, max: number): void {
  let left = Math.max(max, 0);
  for (const [rs, size] of sizes) {
    const count = Math.min(left, size);
    sizes.set(rs, size - count);
    left -= count;
  }
}
