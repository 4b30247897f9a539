import type { ContainerStatus, Pod, PodCondition } from '@orrery/api';
import { initContainersOf, isSidecar } from '../containers/visit.js';
import type { Phase } from './phase.js';

/** The condition types that this kubelet writes; others are left to their owners. */
export const KUBELET_CONDITIONS = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'AllContainersRestarting',
  'PodResizePending',
  'PodResizeInProgress',
  'DisruptionTarget',
] as const;

export const isOfKubelet = (type: string): boolean =>
  (KUBELET_CONDITIONS as readonly string[]).includes(type);

/** Conditions that are there only while they hold, and that nobody else writes. */
export const PASSING_CONDITIONS: readonly string[] = ['PodResizePending', 'PodResizeInProgress'];

const list = (names: readonly string[]): string => `[${names.join(' ')}]`;

/** k8s pkg/kubelet/status/generate.go:GenerateContainersReadyCondition. */
export function containersReady(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  phase: Phase,
): PodCondition {
  const type = 'ContainersReady';
  const watched = [...initContainersOf(pod).filter(isSidecar), ...pod.spec.containers];
  const unknown: string[] = [];
  const unready: string[] = [];
  for (const container of watched) {
    const status = statuses.find((one) => one.name === container.name);
    if (!status) unknown.push(container.name);
    else if (!status.ready) unready.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0)
    return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const parts = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ];
  return parts.length === 0
    ? { type, status: 'True' }
    : { type, status: 'False', reason: 'ContainersNotReady', message: parts.join(', ') };
}

/** Containers ready and every readiness gate true. */
export function podReady(
  pod: Pod,
  containers: PodCondition,
  conditions: readonly PodCondition[],
): PodCondition {
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  const missing: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const found = conditions.find((one) => one.type === conditionType);
    if (!found)
      missing.push(
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    else if (found.status !== 'True')
      missing.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`,
      );
  }
  return missing.length === 0
    ? { type: 'Ready', status: 'True' }
    : {
        type: 'Ready',
        status: 'False',
        reason: 'ReadinessGatesNotReady',
        message: missing.join(', '),
      };
}

/** k8s pkg/kubelet/status/generate.go:GeneratePodInitializedCondition. */
export function initialized(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  phase: Phase,
): PodCondition {
  const type = 'Initialized';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  const regularRan = pod.spec.containers.some((container) => {
    const status = statuses.find((one) => one.name === container.name);
    return status?.state?.running ?? status?.state?.terminated ?? status?.lastState?.terminated;
  });
  const incomplete = initContainersOf(pod)
    .filter((container) => {
      const status = statuses.find((one) => one.name === container.name);
      if (isSidecar(container)) return status?.started !== true;
      return status?.state?.terminated?.exitCode !== 0;
    })
    .map((container) => container.name);
  if (incomplete.length === 0 || regularRan) return { type, status: 'True' };
  return {
    type,
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${list(incomplete)}`,
  };
}

/** Gives each condition the transition time of the old one of equal status; foreign conditions are kept. */
export function mergeConditions(
  fresh: readonly PodCondition[],
  old: readonly PodCondition[],
  now: string,
): PodCondition[] {
  const own = fresh.map((condition) => {
    const before = old.find((one) => one.type === condition.type);
    const same = before?.status === condition.status;
    return {
      ...condition,
      lastTransitionTime: (same ? before.lastTransitionTime : undefined) ?? now,
    };
  });
  const kept = old.filter(
    (one) =>
      !PASSING_CONDITIONS.includes(one.type) &&
      !fresh.some((condition) => condition.type === one.type),
  );
  return [...own, ...kept];
}
