import type { Deployment, ReplicaSet } from '@orrery/api';
import { scaledValue } from '@orrery/api';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** A ReplicaSet and the size it should get. */
export interface Resize {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

/** A Deployment and what it has, split by template. */
export interface Rollout {
  readonly deployment: Deployment;
  /** The one of the current template. */
  readonly newSet: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly oldSets: readonly ReplicaSet[];
}

export const sizeOf = (rs: ReplicaSet): number => rs.spec?.replicas ?? 1;
export const availableOf = (rs: ReplicaSet): number => rs.status?.availableReplicas ?? 0;
export const totalSize = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, rs) => sum + sizeOf(rs), 0);
export const desiredOf = (deployment: Deployment): number => deployment.spec.replicas ?? 1;
export const isRolling = (deployment: Deployment): boolean =>
  deployment.spec.strategy?.type !== 'Recreate';
export const allSets = ({ newSet, oldSets }: Rollout): readonly ReplicaSet[] =>
  newSet ? [...oldSets, newSet] : oldSets;
export const activeSets = (sets: readonly ReplicaSet[]): ReplicaSet[] =>
  sets.filter((rs) => sizeOf(rs) > 0);
/** A whole number of 64 bits; 0 for none and for what is no number. */
export function revisionOf(rs: ReplicaSet): bigint {
  const text = rs.metadata.annotations?.[REVISION] ?? '';
  return /^-?\d+$/.test(text) ? BigInt(text) : 0n;
}

const createdAt = (rs: ReplicaSet): string => rs.metadata.creationTimestamp ?? '';

/** Oldest first; by name where the time is the same. */
export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  createdAt(a) === createdAt(b)
    ? (a.metadata.name ?? '') < (b.metadata.name ?? '')
      ? -1
      : 1
    : createdAt(a) < createdAt(b)
      ? -1
      : 1;

/** maxSurge and maxUnavailable in pods (k8s deployment_util.go: ResolveFenceposts, MaxUnavailable). */
export function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const desired = desiredOf(deployment);
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const rolling = deployment.spec.strategy?.rollingUpdate;
  const surge = scaledValue(rolling?.maxSurge ?? '25%', desired);
  const wanted = scaledValue(rolling?.maxUnavailable ?? '25%', desired, 'down');
  const unavailable = surge === 0 && wanted === 0 ? 1 : wanted;
  return { surge, unavailable: Math.min(unavailable, desired) };
}
