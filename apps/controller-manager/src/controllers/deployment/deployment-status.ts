import type { Deployment, DeploymentCondition, DeploymentStatus } from '@orrery/api';
import { toTime } from '@orrery/component';
import { omitEmpty } from '@orrery/controller';
import { withCondition, withoutCondition } from '../../pods/conditions.js';
import type { Rollout } from './rollout.js';
import { allSets, availableOf, desiredOf, fenceposts, totalSize } from './rollout.js';

const NO_DEADLINE = 2_147_483_647;

type Conditions = readonly DeploymentCondition[];

const find = (conditions: Conditions, type: string): DeploymentCondition | undefined =>
  conditions.find((condition) => condition.type === type);

function newCondition(
  now: number,
  fields: Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>,
): DeploymentCondition {
  const time = toTime(now);
  return { ...fields, lastTransitionTime: time, lastUpdateTime: time };
}

interface Counts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

function countsOf(rollout: Rollout): Counts {
  const sets = allSets(rollout);
  const sum = (count: (rs: (typeof sets)[number]) => number): number =>
    sets.reduce((total, rs) => total + count(rs), 0);
  const availableReplicas = sum(availableOf);
  return {
    replicas: sum((rs) => rs.status?.replicas ?? 0),
    updatedReplicas: rollout.newSet?.status?.replicas ?? 0,
    readyReplicas: sum((rs) => rs.status?.readyReplicas ?? 0),
    availableReplicas,
    unavailableReplicas: Math.max(totalSize(sets) - availableReplicas, 0),
  };
}

export const isComplete = (deployment: Deployment, status: DeploymentStatus): boolean => {
  const desired = desiredOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
};

function isProgressing(before: DeploymentStatus, after: Counts): boolean {
  const oldReplicas = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  return (
    after.updatedReplicas > (before.updatedReplicas ?? 0) ||
    after.replicas - after.updatedReplicas < oldReplicas ||
    after.readyReplicas > (before.readyReplicas ?? 0) ||
    after.availableReplicas > (before.availableReplicas ?? 0)
  );
}

function availability(deployment: Deployment, counts: Counts, now: number): DeploymentCondition {
  const minimum = desiredOf(deployment) - fenceposts(deployment).unavailable;
  return counts.availableReplicas >= minimum
    ? newCondition(now, {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      })
    : newCondition(now, {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      });
}

interface ProgressInput {
  readonly rollout: Rollout;
  readonly conditions: Conditions;
  readonly counts: Counts;
  readonly status: DeploymentStatus;
  readonly now: number;
}

/** k8s pkg/controller/deployment/progress.go: syncRolloutStatus. */
function progress({
  rollout,
  conditions,
  counts,
  status,
  now,
}: ProgressInput): DeploymentCondition[] {
  const { deployment, newSet } = rollout;
  const current = find(conditions, 'Progressing');
  const done =
    counts.replicas === counts.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (done) return [...conditions];
  const subject = newSet
    ? `ReplicaSet "${newSet.metadata.name ?? ''}"`
    : `Deployment "${deployment.metadata.name ?? ''}"`;
  const set = (status: string, reason: string, text: string): DeploymentCondition =>
    newCondition(now, { type: 'Progressing', status, reason, message: `${subject} ${text}` });
  if (isComplete(deployment, status))
    return withCondition(
      conditions,
      set('True', 'NewReplicaSetAvailable', 'has successfully progressed.'),
    );
  if (isProgressing(deployment.status ?? {}, counts)) {
    const next = set('True', 'ReplicaSetUpdated', 'is progressing.');
    // Progress is written even when nothing but the time changed: the deadline counts from it.
    const kept = current?.status === 'True' ? current.lastTransitionTime : undefined;
    return [
      ...withoutCondition(conditions, 'Progressing'),
      kept ? { ...next, lastTransitionTime: kept } : next,
    ];
  }
  if (current && hasTimedOut(deployment, current, now))
    return withCondition(
      conditions,
      set('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'),
    );
  return [...conditions];
}

export const hasDeadline = (deployment: Deployment): boolean =>
  (deployment.spec.progressDeadlineSeconds ?? NO_DEADLINE) !== NO_DEADLINE;

const deadlineOf = (deployment: Deployment, progressing: DeploymentCondition): number =>
  Date.parse(progressing.lastUpdateTime ?? progressing.lastTransitionTime ?? '') +
  (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;

function hasTimedOut(deployment: Deployment, current: DeploymentCondition, now: number): boolean {
  if (current.reason === 'NewReplicaSetAvailable') return false;
  if (current.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineOf(deployment, current) < now;
}

/** How long until the deadline has to be looked at; undefined when none runs. */
export function deadlineCheckMs(
  deployment: Deployment,
  status: DeploymentStatus,
  now: number,
): number | undefined {
  const current = find(status.conditions ?? [], 'Progressing');
  if (!current || !hasDeadline(deployment) || deployment.spec.paused) return undefined;
  if (isComplete(deployment, status) || current.reason === 'ProgressDeadlineExceeded')
    return undefined;
  return Math.max(deadlineOf(deployment, current) - now, 0) + 1000;
}

/** Paused and resumed are said in the Progressing condition (k8s sync.go: checkPausedConditions). */
function pauseNote(deployment: Deployment, conditions: Conditions, now: number): Conditions {
  const current = find(conditions, 'Progressing');
  if (!hasDeadline(deployment) || current?.reason === 'ProgressDeadlineExceeded') return conditions;
  const paused = current?.reason === 'DeploymentPaused';
  if (deployment.spec.paused && !paused)
    return withCondition(
      conditions,
      newCondition(now, {
        type: 'Progressing',
        status: 'Unknown',
        reason: 'DeploymentPaused',
        message: 'Deployment is paused',
      }),
    );
  if (!deployment.spec.paused && paused)
    return withCondition(
      conditions,
      newCondition(now, {
        type: 'Progressing',
        status: 'Unknown',
        reason: 'DeploymentResumed',
        message: 'Deployment is resumed',
      }),
    );
  return conditions;
}

/** Something that happened to the new ReplicaSet in this step. */
export type NewSetNews = 'NewReplicaSetCreated' | 'FoundNewReplicaSet' | undefined;

function newsNote(conditions: Conditions, news: NewSetNews, name: string, now: number): Conditions {
  if (!news || (news === 'FoundNewReplicaSet' && find(conditions, 'Progressing')))
    return conditions;
  const message =
    news === 'NewReplicaSetCreated'
      ? `Created new replica set "${name}"`
      : `Found new replica set "${name}"`;
  return withCondition(
    conditions,
    newCondition(now, { type: 'Progressing', status: 'True', reason: news, message }),
  );
}

/**
 * Terminating pods of all ReplicaSets; undefined while one that was looked at does not say. One that its controller has
 * not seen yet has none (k8s pkg/controller/deployment/util: GetTerminatingReplicaCountForReplicaSets).
 */
function terminatingOf(rollout: Rollout): number | undefined {
  const counts = allSets(rollout)
    .filter(({ status }) => status?.observedGeneration || status?.terminatingReplicas !== undefined)
    .map(({ status }) => status?.terminatingReplicas);
  return counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0,
  );
}

/** Pure: the status of a Deployment with these ReplicaSets. */
export function statusOf(rollout: Rollout, news: NewSetNews, now: number): DeploymentStatus {
  const { deployment, newSet } = rollout;
  const counts = countsOf(rollout);
  const base: DeploymentStatus = omitEmpty({
    ...counts,
    observedGeneration: deployment.metadata.generation ?? 0,
    collisionCount: deployment.status?.collisionCount ?? 0,
  });
  let conditions: Conditions = pauseNote(deployment, deployment.status?.conditions ?? [], now);
  conditions = withCondition(conditions, availability(deployment, counts, now));
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing');
  else if (!deployment.spec.paused) {
    conditions = newsNote(conditions, news, newSet?.metadata.name ?? '', now);
    if (!news) conditions = progress({ rollout, conditions, counts, status: base, now });
  }
  const failure = allSets(rollout)
    .flatMap((rs) => rs.status?.conditions ?? [])
    .find((condition) => condition.type === 'ReplicaFailure');
  conditions = failure
    ? withCondition(conditions, newCondition(now, { ...failure, type: 'ReplicaFailure' }))
    : withoutCondition(conditions, 'ReplicaFailure');
  const terminatingReplicas = terminatingOf(rollout);
  return {
    ...base,
    ...(terminatingReplicas === undefined ? {} : { terminatingReplicas }),
    conditions: [...conditions],
  };
}
