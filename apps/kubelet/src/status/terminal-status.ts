import type { ContainerState, ContainerStatus, Pod, PodStatus } from '@orrery/api';
import { initContainersOf, isSidecar, isStaticPod } from '../containers/visit.js';

const LOST: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  },
};

const hasEnded = ({ state }: ContainerStatus): boolean => state?.terminated !== undefined;

const hasStarted = ({ state, lastState }: ContainerStatus): boolean =>
  state?.waiting === undefined || lastState?.terminated !== undefined;

const orLost = (status: ContainerStatus): ContainerStatus =>
  hasEnded(status) ? status : { ...status, state: LOST };

/** Whether all init containers had done their work once (k8s status_manager.go:hasPodInitialized). */
function wasInitialized(
  pod: Pod,
  { initContainerStatuses = [], containerStatuses = [] }: PodStatus,
): boolean {
  const last = initContainersOf(pod).at(-1);
  if (!last || containerStatuses.some(hasStarted)) return true;
  const status = initContainerStatuses.find(({ name }) => name === last.name);
  if (isSidecar(last)) return status?.state?.running !== undefined && status.started === true;
  return [status?.state, status?.lastState].some((state) => state?.terminated?.exitCode === 0);
}

/** All but the last ones that never started, and the first at any rate (k8s status_manager.go:initializedContainers). */
function withLostInits(statuses: readonly ContainerStatus[]): ContainerStatus[] {
  const started = Math.max(statuses.findLastIndex(hasStarted), 0);
  return statuses.map((status, i) => (i <= started ? orLost(status) : status));
}

/**
 * What is told of a pod once nothing of it will run: containers that did not end are lost, and the pod has failed if it
 * did not succeed (k8s pkg/kubelet/status/status_manager.go:TerminatePod). Without it, whoever waits for a pod's end,
 * as a Job does, would wait for one that was deleted before it started.
 */
export function atTheEnd(pod: Pod, status: PodStatus): PodStatus {
  const { initContainerStatuses, containerStatuses, phase } = status;
  const isOver = phase === 'Succeeded' || phase === 'Failed' || isStaticPod(pod);
  return {
    ...status,
    ...(isOver ? {} : { phase: 'Failed' }),
    ...(initContainerStatuses
      ? { initContainerStatuses: withLostInits(initContainerStatuses) }
      : {}),
    ...(containerStatuses && wasInitialized(pod, status)
      ? { containerStatuses: containerStatuses.map(orLost) }
      : {}),
  };
}
