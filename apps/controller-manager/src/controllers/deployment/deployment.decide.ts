import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '@orrery/api';
import { deadlineCheckMs, isComplete, statusOf } from './deployment-status.js';
import type { NewSetNews } from './deployment-status.js';
import { isScaling, scaleStep } from './proportional-scaling.js';
import { recreateStep } from './recreate.js';
import { newReplicaSet, refreshedNewSet, resized, surplusSets, toRollout } from './revisions.js';
import { newSetSize, rollingStep } from './rolling-update.js';
import type { Resize, Rollout } from './rollout.js';
import { REVISION, desiredOf, isRolling, sizeOf } from './rollout.js';

/** One step towards what a Deployment asks for; at most one of create, refresh and resize is set. */
export interface DeploymentPlan {
  readonly create?: ReplicaSet | undefined;
  readonly refresh?: ReplicaSet | undefined;
  readonly resizes: readonly Resize[];
  readonly remove: readonly ReplicaSet[];
  /** The revision to note on the Deployment, when it notes another. */
  readonly revision?: string | undefined;
  readonly status: DeploymentStatus;
  readonly recheckAfterMs?: number | undefined;
}

type Step = Pick<DeploymentPlan, 'create' | 'refresh' | 'resizes'>;

const still: Step = { resizes: [] };

/** Pure: what to do next. `oldPods` are the pods of other templates, needed for Recreate alone. */
export function planDeployment(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  oldPods: readonly Pod[],
  now: number,
): DeploymentPlan {
  const rollout = toRollout(deployment, sets);
  const step = deployment.metadata.deletionTimestamp ? still : nextStep(rollout, oldPods);
  const resizes = step.resizes.filter((resize) => resized(deployment, resize) !== undefined);
  const shown = step.create ? { ...rollout, newSet: step.create } : rollout;
  const status = statusOf(shown, newsOf(rollout, step), now);
  const idle = !step.create && !step.refresh && resizes.length === 0;
  return {
    ...step,
    resizes,
    remove: idle && mayForget(deployment, status) ? surplusSets(rollout) : [],
    revision: revisionToNote(deployment, step.create ?? step.refresh ?? rollout.newSet),
    status,
    recheckAfterMs: deadlineCheckMs(deployment, status, now),
  };
}

const mayForget = (deployment: Deployment, status: DeploymentStatus): boolean =>
  !deployment.metadata.deletionTimestamp &&
  (deployment.spec.paused === true || isComplete(deployment, status));

function revisionToNote(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
): string | undefined {
  const revision = newSet?.metadata.annotations?.[REVISION];
  return revision === deployment.metadata.annotations?.[REVISION] ? undefined : revision;
}

function newsOf({ deployment, newSet }: Rollout, step: Step): NewSetNews {
  if (step.create) return 'NewReplicaSetCreated';
  const told = deployment.status?.conditions?.some(({ type }) => type === 'Progressing');
  return newSet && !deployment.spec.paused && !told ? 'FoundNewReplicaSet' : undefined;
}

function nextStep(rollout: Rollout, oldPods: readonly Pod[]): Step {
  const { deployment, newSet } = rollout;
  if (deployment.spec.paused || isScaling(rollout)) return { resizes: scaleStep(rollout) };
  if (!isRolling(deployment)) return recreate(rollout, oldPods);
  const refresh = refreshedNewSet(rollout);
  if (refresh) return { refresh, resizes: [] };
  if (!newSet) return { create: newReplicaSet(rollout, newSetSize(rollout)), resizes: [] };
  return { resizes: rollingStep(rollout) };
}

function recreate(rollout: Rollout, oldPods: readonly Pod[]): Step {
  const refresh = refreshedNewSet(rollout);
  if (refresh) return { refresh, resizes: [] };
  const { resizes, blocked } = recreateStep(rollout, oldPods);
  if (resizes.length > 0 || blocked) return { resizes };
  if (!rollout.newSet)
    return { create: newReplicaSet(rollout, desiredOf(rollout.deployment)), resizes: [] };
  return still;
}

/** Upstream's words for a change of size. */
export function resizeMessage({ replicaSet, replicas }: Resize): string | undefined {
  const before = sizeOf(replicaSet);
  if (before === replicas) return undefined;
  const direction = replicas > before ? 'up' : 'down';
  return `Scaled ${direction} replica set ${replicaSet.metadata.name ?? ''} from ${before} to ${replicas}`;
}
