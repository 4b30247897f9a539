import type { ContainerStatus, PodStatus } from '@orrery/api';

/** A request that cannot be served as the pod is now; answered 400 with upstream's text. */
export class LogTargetError extends Error {}

const idOf = (containerId: string | undefined): string =>
  (containerId ?? '').slice((containerId ?? '').indexOf('://') + 3);

const WAITING: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
};

function findStatus(status: PodStatus, container: string): ContainerStatus | undefined {
  return [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find((one) => one.name === container);
}

/** Id of the run whose log is meant (k8s pkg/kubelet/kubelet_pods.go:validateContainerLogStatus). Throws LogTargetError. */
export function logTarget(
  pod: string,
  status: PodStatus,
  container: string,
  previous: boolean,
): string {
  const found = findStatus(status, container);
  const subject = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod)}`;
  if (!found) throw new LogTargetError(`${subject} is not available`);
  const last = idOf(found.lastState?.terminated?.containerID);
  if (previous) {
    if (last === '') throw new LogTargetError(`previous terminated ${subject} not found`);
    return last;
  }
  const { running, terminated } = found.state ?? {};
  if (running) return idOf(found.containerID);
  const ended = idOf(terminated?.containerID) || last;
  if (ended !== '') return ended;
  if (terminated || found.lastState?.terminated)
    throw new LogTargetError(`${subject} is terminated`);
  throw new LogTargetError(`${subject} is waiting to start${waitingText(found)}`);
}

function waitingText({ state }: ContainerStatus): string {
  if (!state?.waiting) return ' - no logs yet';
  const reason = state.waiting.reason ?? '';
  return `: ${WAITING[reason] ?? reason}`;
}
