import type { Deployment, ReplicaSet } from '@orrery/api';
import type { Resize, Rollout } from './rollout.js';
import {
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  activeSets,
  allSets,
  availableOf,
  byAge,
  desiredOf,
  fenceposts,
  isRolling,
  sizeOf,
  totalSize,
} from './rollout.js';

const annotation = (rs: ReplicaSet, name: string): number | undefined => {
  const value = Number(rs.metadata.annotations?.[name] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
};

/** Whether spec.replicas changed since the sets were sized (k8s sync.go: isScalingEvent). */
export function isScaling(rollout: Rollout): boolean {
  const desired = desiredOf(rollout.deployment);
  return activeSets(allSets(rollout)).some((rs) => {
    const noted = annotation(rs, DESIRED_REPLICAS);
    return noted !== undefined && noted !== desired;
  });
}

const isSaturated = (deployment: Deployment, newSet: ReplicaSet | undefined): boolean => {
  const desired = desiredOf(deployment);
  return (
    newSet !== undefined &&
    sizeOf(newSet) === desired &&
    annotation(newSet, DESIRED_REPLICAS) === desired &&
    availableOf(newSet) === desired
  );
};

/** The only set that counts, if there is one: the only active, else the newest. */
function onlySet({ newSet, oldSets }: Rollout): ReplicaSet | undefined {
  const active = activeSets(newSet ? [...oldSets, newSet] : oldSets);
  if (active.length > 1) return undefined;
  return active[0] ?? newSet ?? oldSets.at(-1);
}

/** Sizes after a change of spec.replicas or while paused (k8s pkg/controller/deployment/sync.go: scale). */
export function scaleStep(rollout: Rollout): Resize[] {
  const { deployment, newSet, oldSets } = rollout;
  const desired = desiredOf(deployment);
  const only = onlySet(rollout);
  if (only) return [{ replicaSet: only, replicas: desired }];
  if (isSaturated(deployment, newSet))
    return activeSets(oldSets).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  return isRolling(deployment) ? proportional(rollout, desired) : [];
}

function proportional(rollout: Rollout, desired: number): Resize[] {
  const { deployment } = rollout;
  const { surge } = fenceposts(deployment);
  const active = activeSets(allSets(rollout));
  const toAdd = (desired > 0 ? desired + surge : 0) - totalSize(active);
  const bySize = (a: ReplicaSet, b: ReplicaSet): number => {
    if (sizeOf(a) !== sizeOf(b)) return sizeOf(b) - sizeOf(a);
    return toAdd > 0 ? byAge(b, a) : byAge(a, b);
  };
  let added = 0;
  const resizes = [...active].sort(bySize).map((replicaSet) => {
    const share = shareOf(replicaSet, deployment, { toAdd, added, surge });
    added += share;
    return { replicaSet, replicas: sizeOf(replicaSet) + share };
  });
  const [largest, ...rest] = resizes;
  if (!largest) return [];
  const replicas = Math.max(largest.replicas + toAdd - added, 0);
  return [{ replicaSet: largest.replicaSet, replicas }, ...rest];
}

/** What one set gets of the pods to add or remove (k8s deployment_util.go: GetProportion). */
function shareOf(
  rs: ReplicaSet,
  deployment: Deployment,
  { toAdd, added, surge }: { toAdd: number; added: number; surge: number },
): number {
  if (toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(rs, deployment, surge);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

function fractionOf(rs: ReplicaSet, deployment: Deployment, surge: number): number {
  const desired = desiredOf(deployment);
  if (desired === 0) return -sizeOf(rs);
  const before = annotation(rs, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((sizeOf(rs) * (desired + surge)) / before) - sizeOf(rs);
}
