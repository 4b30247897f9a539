import { fromNanoseconds } from '@orrery/cri';
import type { LinuxContainerUser as LinuxUser } from '@orrery/api';
import type { ContainerStatus, LinuxContainerUser, Mount, PodSandboxStatus } from '@orrery/cri';
import {
  CONTAINER_NAME_LABEL,
  HASH_ANNOTATION,
  POD_NAMESPACE_LABEL,
  POD_NAME_LABEL,
  POD_UID_LABEL,
  RESTART_COUNT_ANNOTATION,
} from './labels.js';
import type {
  ContainerResources,
  RuntimeContainer,
  RuntimeContainerState,
  RuntimeMount,
  RuntimePod,
  RuntimeSandbox,
} from './runtime.js';

const STATES: Readonly<Record<ContainerStatus['state'], RuntimeContainerState>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

function toSandbox(status: PodSandboxStatus): RuntimeSandbox {
  const network = status.network;
  const ips = [network?.ip ?? '', ...(network?.additionalIps ?? []).map((one) => one.ip)].filter(
    (ip) => ip !== '',
  );
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    ready: status.state === 'SANDBOX_READY',
    createdAtMs: fromNanoseconds(status.createdAt),
    ips,
    hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
  };
}

/** Undefined where the runtime does not tell, as older ones. */
function toResources({ resources }: ContainerStatus): ContainerResources | undefined {
  const linux = resources?.linux;
  if (!linux || linux.cpuShares === 0) return undefined;
  return {
    cpuShares: linux.cpuShares,
    cpuQuota: linux.cpuQuota,
    cpuPeriod: linux.cpuPeriod,
    memoryLimitBytes: linux.memoryLimitInBytes,
    oomScoreAdj: linux.oomScoreAdj,
  };
}

const toMount = ({
  containerPath,
  hostPath,
  readonly,
  image,
  imageSubPath,
}: Mount): RuntimeMount => ({
  containerPath,
  hostPath,
  readonly,
  ...(image?.image
    ? { image: { ref: image.image, name: image.userSpecifiedImage, subPath: imageSubPath } }
    : {}),
});

const toUser = ({ uid, gid, supplementalGroups }: LinuxContainerUser): LinuxUser => ({
  uid,
  gid,
  ...(supplementalGroups.length > 0 ? { supplementalGroups: [...supplementalGroups] } : {}),
});

function toContainer(status: ContainerStatus, sandboxId: string): RuntimeContainer {
  const resources = toResources(status);
  return {
    id: status.id,
    sandboxId,
    name: status.labels[CONTAINER_NAME_LABEL] ?? status.metadata?.name ?? '',
    state: STATES[status.state],
    image: status.image?.userSpecifiedImage || (status.image?.image ?? ''),
    imageRef: status.imageRef,
    imageId: status.imageId,
    ...(resources ? { resources } : {}),
    hash: status.annotations[HASH_ANNOTATION] ?? '',
    restartCount: Number(
      status.annotations[RESTART_COUNT_ANNOTATION] ?? status.metadata?.attempt ?? 0,
    ),
    createdAtMs: fromNanoseconds(status.createdAt),
    startedAtMs: fromNanoseconds(status.startedAt),
    finishedAtMs: fromNanoseconds(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    logPath: status.logPath,
    annotations: status.annotations,
    mounts: status.mounts.map(toMount),
    ...(status.user?.linux ? { user: { linux: toUser(status.user.linux) } } : {}),
  };
}

interface Building {
  readonly namespace: string;
  readonly name: string;
  readonly sandboxes: RuntimeSandbox[];
  readonly containers: RuntimeContainer[];
}

const newestFirst = (
  a: { readonly createdAtMs: number; readonly n: number },
  b: { readonly createdAtMs: number; readonly n: number },
): number => b.n - a.n || b.createdAtMs - a.createdAtMs;

/** Sandboxes and containers by pod, by upstream's labels; what carries none is not the kubelet's. */
export function groupPods(
  sandboxes: readonly PodSandboxStatus[],
  containers: readonly ContainerStatus[],
  homes: ReadonlyMap<string, string>,
): RuntimePod[] {
  const pods = new Map<string, Building>();
  const podOf = (labels: Readonly<Record<string, string>>): Building | undefined => {
    const uid = labels[POD_UID_LABEL];
    if (!uid) return undefined;
    const found = pods.get(uid) ?? {
      namespace: labels[POD_NAMESPACE_LABEL] ?? '',
      name: labels[POD_NAME_LABEL] ?? '',
      sandboxes: [],
      containers: [],
    };
    pods.set(uid, found);
    return found;
  };
  for (const one of sandboxes) podOf(one.labels)?.sandboxes.push(toSandbox(one));
  for (const one of containers)
    podOf(one.labels)?.containers.push(toContainer(one, homes.get(one.id) ?? ''));
  return [...pods].map(([uid, pod]) => ({
    uid,
    namespace: pod.namespace,
    name: pod.name,
    sandboxes: pod.sandboxes.toSorted((a, b) =>
      newestFirst({ ...a, n: a.attempt }, { ...b, n: b.attempt }),
    ),
    containers: pod.containers.toSorted((a, b) =>
      newestFirst({ ...a, n: a.restartCount }, { ...b, n: b.restartCount }),
    ),
  }));
}
