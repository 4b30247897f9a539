import type { Container, ContainerState, ContainerStatus, Pod } from '@orrery/api';
import { toTime } from '@orrery/component';
import { recursiveReadOnly } from '../volumes/recursive-read-only.js';
import { normalizeImage } from '../images/image-name.js';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import { shouldRestart } from '../pod-workers/compute-actions.js';
import { REMOVED_TEXT, RESTARTING_ALL } from '../pod-workers/restart-all.js';

/** Why a container is not running though it should: the last failure to start it. */
export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly containers: readonly Container[];
  readonly runtimePod: RuntimePod | undefined;
  /** Statuses last reported, for containers of which the runtime knows nothing any more. */
  readonly old: readonly ContainerStatus[];
  readonly reasons: ReadonlyMap<string, WaitingReason>;
  /** `containerd`, `orrery`: the scheme of container ids. */
  readonly runtimeName: string;
  /** Some init container has not completed. */
  readonly initializing: boolean;
  /** Nothing will be started again. */
  readonly terminal: boolean;
  /** Whether the runtime can make volumes read-only with the mounts below. */
  readonly recursiveReadOnly?: boolean;
  /** All containers are taken away to be started anew. */
  readonly restartingAll?: boolean;
  terminationMessage(container: RuntimeContainer): string | undefined;
}

function defaultReason(container: RuntimeContainer): string {
  if (container.reason) return container.reason;
  return container.exitCode === 0 ? 'Completed' : 'Error';
}

/** The API's state of one run of a container (k8s pkg/kubelet/kubelet_pods.go:convertContainerStatus). */
export function toState(container: RuntimeContainer, input: ContainerStatusInput): ContainerState {
  switch (container.state) {
    case 'running':
      return { running: { startedAt: toTime(container.startedAtMs) } };
    case 'created':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'exited':
      return {
        terminated: {
          exitCode: container.exitCode,
          reason: defaultReason(container),
          ...optional('message', input.terminationMessage(container) ?? container.message),
          startedAt: toTime(container.startedAtMs || container.finishedAtMs),
          finishedAt: toTime(container.finishedAtMs),
          containerID: `${input.runtimeName}://${container.id}`,
        },
      };
    case 'unknown':
      return {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was terminated',
        },
      };
  }
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value ? ({ [key]: value } as Partial<Record<K, string>>) : {};
}

function statusOf(
  latest: RuntimeContainer,
  input: ContainerStatusInput,
  image: string,
): ContainerStatus {
  return {
    name: latest.name,
    state: toState(latest, input),
    lastState: {},
    ready: false,
    restartCount: latest.restartCount,
    image: latest.image || image,
    imageID: latest.imageRef,
    containerID: `${input.runtimeName}://${latest.id}`,
    ...(latest.user ? { user: latest.user } : {}),
  };
}

const waiting = ({ reason, message }: WaitingReason): ContainerState => ({
  waiting: { reason, ...optional('message', message) },
});

const LOST: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message:
      'The container could not be located when the pod was deleted.  The container used to be Running',
  },
};

/** A container that was taken away to be started anew with all others of its pod. */
const takenAway = (blank: ContainerStatus, restarts: number): ContainerStatus => ({
  ...blank,
  restartCount: restarts + 1,
  state: waiting({ reason: RESTARTING_ALL, message: REMOVED_TEXT }),
  lastState: { terminated: { exitCode: 137, reason: RESTARTING_ALL, message: REMOVED_TEXT } },
});

/** The status of a container of which the runtime knows nothing, from what was last reported. */
function neverSeen(container: Container, input: ContainerStatusInput): ContainerStatus {
  const reason = input.reasons.get(container.name) ?? {
    reason: input.initializing ? 'PodInitializing' : 'ContainerCreating',
    message: '',
  };
  const blank: ContainerStatus = {
    name: container.name,
    state: waiting(reason),
    lastState: {},
    ready: false,
    restartCount: 0,
    image: normalizeImage(container.image ?? ''),
    imageID: '',
    started: false,
  };
  const old = input.old.find((one) => one.name === container.name);
  if (!old) return blank;
  if (input.restartingAll && !old.state?.waiting) return takenAway(blank, old.restartCount);
  if (old.state?.terminated) return { ...old, ready: false };
  if (!old.state?.running)
    return { ...blank, restartCount: old.restartCount, lastState: old.lastState ?? {} };
  return input.terminal
    ? { ...old, state: LOST, ready: false }
    : { ...blank, restartCount: old.restartCount + 1, lastState: LOST };
}

/** What ended before the newest run: from the runtime, else as last reported. */
function lastStateOf(
  status: ContainerStatus,
  previous: RuntimeContainer | undefined,
  input: ContainerStatusInput,
): ContainerState {
  if (previous) return toState(previous, input);
  const old = input.old.find((one) => one.name === status.name);
  if (!old) return {};
  if (old.containerID === status.containerID) {
    const known = old.lastState?.terminated;
    return known && old.lastState && `${known.containerID ?? ''}` !== status.containerID
      ? old.lastState
      : {};
  }
  return old.state?.terminated ? old.state : (old.lastState ?? {});
}

function restarting(
  container: Container,
  status: ContainerStatus,
  latest: RuntimeContainer,
  input: ContainerStatusInput,
): ContainerStatus {
  const reason = input.reasons.get(container.name);
  if (!reason) return status;
  if (latest.state === 'created') return { ...status, state: waiting(reason) };
  const ended = !input.terminal && status.state?.terminated !== undefined;
  if (!ended || !shouldRestart(input.pod, container, latest)) return status;
  return { ...status, lastState: status.state ?? {}, state: waiting(reason) };
}

/** How volumes are mounted (k8s kubelet_pods.go:convertToAPIContainerStatuses, KEP-3857). */
function mountStatuses(
  { volumeMounts = [] }: Container,
  supported: boolean,
): Pick<ContainerStatus, 'volumeMounts'> {
  if (volumeMounts.length === 0) return {};
  return {
    volumeMounts: volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly
        ? {
            readOnly: true,
            recursiveReadOnly: recursiveReadOnly(mount, supported).mode ? 'Enabled' : 'Disabled',
          }
        : {}),
    })),
  };
}

/** Statuses of one container list, sorted as the spec lists them (k8s convertToAPIContainerStatuses). */
export function containerStatuses(input: ContainerStatusInput): ContainerStatus[] {
  return input.containers.map((container) => ({
    ...containerStatus(container, input),
    ...mountStatuses(container, input.recursiveReadOnly === true),
  }));
}

function containerStatus(container: Container, input: ContainerStatusInput): ContainerStatus {
  const [latest, previous] =
    input.runtimePod?.containers.filter((one) => one.name === container.name) ?? [];
  if (!latest) return neverSeen(container, input);
  const status = statusOf(latest, input, normalizeImage(container.image ?? ''));
  const lastState = lastStateOf(status, previous, input);
  return restarting(container, { ...status, lastState }, latest, input);
}
