import type { KubeObject } from '@orrery/apimachinery';
import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '@orrery/api';
import { toTime } from '@orrery/component';
import { omitEmpty } from '@orrery/controller';
import { withCondition, withoutCondition } from '../../pods/conditions.js';
import {
  isActive,
  isAvailable,
  isReady,
  isTerminating,
  nextAvailabilityMs,
} from '../../pods/pod-state.js';
import { byDeletionPreference, rankByNode } from './pod-ranking.js';

/** What ReplicaSet and ReplicationController have in common. */
export interface ReplicaOwner extends KubeObject {
  spec?: {
    replicas?: number;
    minReadySeconds?: number;
    template?: { metadata?: { labels?: Record<string, string> } };
  };
  status?: ReplicaSetStatus;
}

/** Pods created or deleted in one reconcile at most (k8s pkg/controller/replicaset: BurstReplicas). */
export const BURST_REPLICAS = 500;

export interface ReplicaPlan {
  readonly create: number;
  readonly remove: readonly Pod[];
}

/** Pure: how many pods to create, or which to delete. `related` are the active pods of sibling owners too. */
export function planReplicas(
  owner: ReplicaOwner,
  pods: readonly Pod[],
  related: readonly Pod[],
  now: number,
): ReplicaPlan {
  if (owner.metadata.deletionTimestamp) return { create: 0, remove: [] };
  const active = pods.filter(isActive);
  const missing = (owner.spec?.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, BURST_REPLICAS), remove: [] };
  const preference = byDeletionPreference(rankByNode(related), now);
  const remove = [...active].sort(preference).slice(0, Math.min(-missing, BURST_REPLICAS));
  return { create: 0, remove };
}

const hasLabels = (pod: Pod, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);

function failureCondition(
  failure: { readonly error: unknown; readonly creating: boolean },
  now: number,
): ReplicaSetCondition {
  const { error, creating } = failure;
  return {
    type: 'ReplicaFailure',
    status: 'True',
    reason: creating ? 'FailedCreate' : 'FailedDelete',
    message: error instanceof Error ? error.message : String(error),
    lastTransitionTime: toTime(now),
  };
}

export interface ReplicaStatusInput {
  readonly owner: ReplicaOwner;
  readonly pods: readonly Pod[];
  readonly now: number;
  /** What went wrong with the plan, if anything did. */
  readonly failure?: { readonly error: unknown; readonly creating: boolean } | undefined;
  /** Whether the kind and the server have status.terminatingReplicas. */
  readonly countsTerminating?: boolean;
}

/** Pure: the status that these pods mean, and when to look again. */
export function statusOf({ owner, pods, now, failure, countsTerminating }: ReplicaStatusInput): {
  readonly status: ReplicaSetStatus;
  readonly recheckAfterMs: number | undefined;
} {
  const active = pods.filter(isActive);
  const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
  const templateLabels = owner.spec?.template?.metadata?.labels ?? {};
  const before = (owner.status?.conditions ?? []) as readonly ReplicaSetCondition[];
  const conditions = failure
    ? withCondition(before, failureCondition(failure, now))
    : withoutCondition(before, 'ReplicaFailure');
  const status: ReplicaSetStatus = {
    replicas: active.length,
    ...omitEmpty({
      fullyLabeledReplicas: active.filter((pod) => hasLabels(pod, templateLabels)).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length,
      observedGeneration: owner.metadata.generation ?? 0,
    }),
    // A pointer upstream: 0 is written.
    ...(countsTerminating ? { terminatingReplicas: pods.filter(isTerminating).length } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return { status, recheckAfterMs: nextAvailabilityMs(active, minReadySeconds, now) };
}
