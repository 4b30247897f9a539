import type { KubeObject } from '@orrery/apimachinery';
import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from '@orrery/api';
import { toTime } from '@orrery/component';
import { omitEmpty } from '@orrery/controller';
import { withCondition, withoutCondition } from '../../pods/conditions.js';
import { availableAt, isActive, isTerminating } from '../../pods/pod-state.js';
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

/** Pure: how many pods to create, or which to delete. `related` gives the active pods of sibling owners too. */
export function planReplicas(
  owner: ReplicaOwner,
  pods: readonly Pod[],
  related: () => readonly Pod[],
  now: number,
): ReplicaPlan {
  if (owner.metadata.deletionTimestamp) return { create: 0, remove: [] };
  const active = pods.filter(isActive);
  const missing = (owner.spec?.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, BURST_REPLICAS), remove: [] };
  const preference = byDeletionPreference(rankByNode(related()), now);
  const remove = [...active].sort(preference).slice(0, Math.min(-missing, BURST_REPLICAS));
  return { create: 0, remove };
}

type Labels = readonly (readonly [key: string, value: string])[];

function hasLabels({ metadata }: Pod, labels: Labels): boolean {
  for (const label of labels) if (metadata.labels?.[label[0]] !== label[1]) return false;
  return true;
}

interface Counts {
  replicas: number;
  labeled: number;
  ready: number;
  available: number;
  terminating: number;
  /** How long until the first of the ready pods that are not yet available is. */
  nextMs: number;
}

/** Each pod is looked at once: a set of thousands is counted again for each of them that becomes ready. */
function count(pods: readonly Pod[], owner: ReplicaOwner, now: number): Counts {
  const labels = Object.entries(owner.spec?.template?.metadata?.labels ?? {});
  const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
  const counts = { replicas: 0, labeled: 0, ready: 0, available: 0, terminating: 0 };
  let nextMs = Number.POSITIVE_INFINITY;
  for (const pod of pods) {
    if (!isActive(pod)) {
      if (isTerminating(pod)) counts.terminating++;
      continue;
    }
    counts.replicas++;
    if (hasLabels(pod, labels)) counts.labeled++;
    const at = availableAt(pod, minReadySeconds);
    if (at === undefined) continue;
    counts.ready++;
    if (at <= now) counts.available++;
    else nextMs = Math.min(nextMs, at - now);
  }
  return { ...counts, nextMs };
}

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
  const counts = count(pods, owner, now);
  const before = (owner.status?.conditions ?? []) as readonly ReplicaSetCondition[];
  const conditions = failure
    ? withCondition(before, failureCondition(failure, now))
    : withoutCondition(before, 'ReplicaFailure');
  const status: ReplicaSetStatus = {
    replicas: counts.replicas,
    ...omitEmpty({
      fullyLabeledReplicas: counts.labeled,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      observedGeneration: owner.metadata.generation ?? 0,
    }),
    // A pointer upstream: 0 is written.
    ...(countsTerminating ? { terminatingReplicas: counts.terminating } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return { status, recheckAfterMs: Number.isFinite(counts.nextMs) ? counts.nextMs : undefined };
}
