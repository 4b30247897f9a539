import type { Pod, PodCondition, PodStatus } from '@orrery/api';
import { initContainersOf } from '../containers/visit.js';
import { latestContainer } from '../runtime/runtime.js';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import { actionAfter } from './restart-policy.js';

/** Reason of containers that were taken away to be started anew. */
export const RESTARTING_ALL = 'RestartingAllContainers';
export const REMOVED_TEXT = 'The container is removed because RestartAllContainers in place';

const CONDITION = 'AllContainersRestarting';

const restartable = (pod: Pod): Pod['spec']['containers'] => [
  ...initContainersOf(pod),
  ...pod.spec.containers,
];

/** Some exit code starts all containers again (k8s pkg/api/v1/pod/util.go:AllContainersCouldRestart). */
export const canRestartAll = (pod: Pod): boolean =>
  restartable(pod).some((container) =>
    container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );

const endsAll = (pod: Pod, name: string, exitCode: number): boolean =>
  restartable(pod).some(
    (container) =>
      container.name === name && actionAfter(container, exitCode) === 'RestartAllContainers',
  );

/**
 * All containers of the pod are to be taken away and started from the first init container on: it was begun, or one
 * ended with a code whose rule says so (k8s pkg/kubelet/container/helpers.go:ShouldAllContainersRestart).
 */
export function mustRestartAll(
  pod: Pod,
  runtimePod: RuntimePod | undefined,
  status: PodStatus,
): boolean {
  if (!canRestartAll(pod)) return false;
  const begun = status.conditions?.some((one) => one.type === CONDITION && one.status === 'True');
  if (begun) return true;
  const told = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return (
    restartable(pod).some(({ name }) => {
      const latest = latestContainer(runtimePod, name);
      return latest?.state === 'exited' && endsAll(pod, name, latest.exitCode);
    }) ||
    told.some(
      ({ name, state }) => state?.terminated && endsAll(pod, name, state.terminated.exitCode),
    )
  );
}

/** What is to be taken away: those that ended by such a rule last, so that a restarted kubelet goes on. */
export function containersToReset(
  pod: Pod,
  runtimePod: RuntimePod | undefined,
): readonly RuntimeContainer[] {
  const names = new Set(restartable(pod).map(({ name }) => name));
  const all = (runtimePod?.containers ?? []).filter(({ name }) => names.has(name));
  const isSource = (one: RuntimeContainer): boolean =>
    one.state === 'exited' && endsAll(pod, one.name, one.exitCode);
  return [...all.filter((one) => !isSource(one)), ...all.filter(isSource)];
}

/** k8s pkg/kubelet/status/generate.go:GenerateAllContainersRestartingCondition; none where no rule says so. */
export function restartingCondition(
  pod: Pod,
  runtimePod: RuntimePod | undefined,
  old: PodStatus,
  phase: string,
): PodCondition[] {
  if (!canRestartAll(pod)) return [];
  const no = { type: CONDITION, status: 'False' as const };
  if (phase === 'Succeeded') return [{ ...no, reason: 'PodCompleted' }];
  if (phase === 'Failed') return [{ ...no, reason: 'PodFailed' }];
  const cleanedUp = containersToReset(pod, runtimePod).length === 0;
  if (cleanedUp || !mustRestartAll(pod, runtimePod, old)) return [no];
  return [
    {
      type: CONDITION,
      status: 'True',
      reason: 'RestartAllContainersStarted',
      message: 'container exited with restart policy rule',
    },
  ];
}
