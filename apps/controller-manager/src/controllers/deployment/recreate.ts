import type { Pod } from '@orrery/api';
import { isTerminated } from '../../pods/pod-state.js';
import type { Resize, Rollout } from './rollout.js';
import { activeSets, desiredOf, sizeOf } from './rollout.js';

export interface RecreateStep {
  readonly resizes: readonly Resize[];
  /** Old pods are still there: the new ReplicaSet must not be made or grown yet. */
  readonly blocked: boolean;
}

/** One step of Recreate (k8s pkg/controller/deployment/recreate.go): all old pods go before a new one comes. */
export function recreateStep(rollout: Rollout, oldPods: readonly Pod[]): RecreateStep {
  const old = activeSets(rollout.oldSets);
  if (old.length > 0)
    return { resizes: old.map((replicaSet) => ({ replicaSet, replicas: 0 })), blocked: true };
  const running =
    rollout.oldSets.some((rs) => (rs.status?.replicas ?? 0) > 0) ||
    oldPods.some((pod) => !isTerminated(pod));
  if (running) return { resizes: [], blocked: true };
  const { newSet } = rollout;
  const desired = desiredOf(rollout.deployment);
  if (!newSet || sizeOf(newSet) === desired) return { resizes: [], blocked: false };
  return { resizes: [{ replicaSet: newSet, replicas: desired }], blocked: false };
}
