import { deepEqual } from '@orrery/apimachinery';
import type { Pod, PodCondition } from '@orrery/api';

/** The condition of that type, if the pod has it. */
export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export const isTerminated = (pod: Pod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Counts as a replica (k8s pkg/controller/controller_utils.go: IsPodActive). */
export const isActive = (pod: Pod): boolean =>
  !isTerminated(pod) && pod.metadata.deletionTimestamp === undefined;

/** Is on its way out and has not ended yet (k8s pkg/controller/controller_utils.go: IsPodTerminating). */
export const isTerminating = (pod: Pod): boolean =>
  !isTerminated(pod) && pod.metadata.deletionTimestamp !== undefined;

export const isReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True';

/** When a ready pod becomes available, in ms since the epoch; undefined while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  return Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000;
}

export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && at <= now;
}

/** How long until the first of the ready pods that are not yet available is; undefined when none is waited for. */
export function nextAvailabilityMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  now: number,
): number | undefined {
  const waits = pods
    .map((pod) => availableAt(pod, minReadySeconds))
    .filter((at) => at !== undefined && at > now)
    .map((at) => (at ?? now) - now);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/**
 * Whether a change of a pod can mean something to what keeps a number of pods like it: by whom it is owned and claimed,
 * whether it counts, is ready, and since when. Being given a node, say, is none of that.
 */
export function mattersToReplicas(pod: Pod, old: Pod): boolean {
  const [now, before] = [podCondition(pod, 'Ready'), podCondition(old, 'Ready')];
  return (
    pod.status?.phase !== old.status?.phase ||
    now?.status !== before?.status ||
    now?.lastTransitionTime !== before?.lastTransitionTime ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    !deepEqual(pod.metadata.labels, old.metadata.labels) ||
    !deepEqual(pod.metadata.ownerReferences, old.metadata.ownerReferences)
  );
}
