import type { Container, ContainerStatus, Node, Pod } from '@orrery/api';
import { parseQuantity, quantityValue } from '@orrery/apimachinery';
import { hashContainer } from '../containers/hash.js';
import { allContainers, uidOf } from '../containers/visit.js';
import type { Machine } from '../node/machine.js';
import {
  CONFIG_HASH_ANNOTATION,
  CONFIG_MIRROR_ANNOTATION,
  CONFIG_SOURCE_ANNOTATION,
  HASH_ANNOTATION,
} from '../runtime/labels.js';
import type {
  RuntimeContainer,
  RuntimeImage,
  RuntimePod,
  RuntimeSandbox,
} from '../runtime/runtime.js';

const millis = (time: string | undefined): number => (time ? Date.parse(time) : 0);

const idOf = (containerID = ''): string => containerID.slice(containerID.indexOf('://') + 3);

/** The state in which a container is said to be; undefined when it never started. */
function stateOf({
  state,
}: ContainerStatus):
  | Pick<
      RuntimeContainer,
      'state' | 'startedAtMs' | 'finishedAtMs' | 'exitCode' | 'reason' | 'message'
    >
  | undefined {
  if (state?.running)
    return {
      state: 'running',
      startedAtMs: millis(state.running.startedAt),
      finishedAtMs: 0,
      exitCode: 0,
      reason: '',
      message: '',
    };
  const end = state?.terminated;
  if (!end) return undefined;
  return {
    state: 'exited',
    startedAtMs: millis(end.startedAt),
    finishedAtMs: millis(end.finishedAt),
    exitCode: end.exitCode,
    reason: end.reason ?? '',
    message: end.message ?? '',
  };
}

function adoptedContainer(
  container: Container,
  status: ContainerStatus,
  sandboxId: string,
): RuntimeContainer | undefined {
  const state = stateOf(status);
  if (!state) return undefined;
  const hash = hashContainer(container);
  return {
    ...state,
    id: idOf(status.containerID),
    sandboxId,
    name: container.name,
    image: status.image,
    imageRef: status.imageID,
    hash,
    restartCount: status.restartCount,
    createdAtMs: state.startedAtMs,
    logPath: `${container.name}/${status.restartCount}.log`,
    annotations: { [HASH_ANNOTATION]: hash },
    mounts: [],
  };
}

const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
];

function adoptedSandbox({ spec, status }: Pod, id: string): RuntimeSandbox {
  const hostNetwork = spec.hostNetwork ?? false;
  const { podIP, phase } = status ?? {};
  return {
    id,
    attempt: 0,
    ready: phase !== 'Succeeded' && phase !== 'Failed',
    createdAtMs: millis(status?.startTime),
    ips: hostNetwork || !podIP ? [] : [podIP],
    hostNetwork,
  };
}

/** What a runtime would hold of a pod that has this status; undefined for one that has not started. */
export function toRuntimePod(pod: Pod): RuntimePod | undefined {
  const statuses = statusesOf(pod);
  const sandboxId = `adopted-${uidOf(pod)}`;
  const containers = allContainers(pod).flatMap((container) => {
    const found = statuses.find(({ name }) => name === container.name);
    return (found && adoptedContainer(container, found, sandboxId)) ?? [];
  });
  if (containers.length === 0) return undefined;
  const { namespace = '', name = '' } = pod.metadata;
  const sandboxes = [adoptedSandbox(pod, sandboxId)];
  return { uid: uidOf(pod), namespace, name, sandboxes, containers };
}

/** The static pod that a mirror shows: what the node would have read from its manifest. */
export function toStaticPod(mirror: Pod): Pod {
  const { [CONFIG_MIRROR_ANNOTATION]: hash = '', ...annotations } =
    mirror.metadata.annotations ?? {};
  const { ownerReferences: _, resourceVersion: __, ...metadata } = mirror.metadata;
  return {
    ...mirror,
    metadata: {
      ...metadata,
      uid: hash,
      annotations: {
        ...annotations,
        [CONFIG_HASH_ANNOTATION]: hash,
        [CONFIG_SOURCE_ANNOTATION]: 'file',
      },
    },
  };
}

/** The images that a node is said to have. */
export const imagesOf = ({ status }: Node): readonly RuntimeImage[] =>
  (status?.images ?? []).map(({ names: known, sizeBytes = 0 }) => {
    const names = known ?? [];
    return {
      id: names[0] ?? '',
      digests: names.filter((name) => name.includes('@')),
      tags: names.filter((name) => !name.includes('@')),
      sizeBytes,
    };
  });

/** The machine that a node is said to be: what is hosted here is not this one. */
export function machineOf({ metadata, status }: Node, here: Machine): Machine {
  const { capacity = {}, nodeInfo } = status ?? {};
  const amount = (name: string, fallback: number): number => {
    const stated = capacity[name];
    return stated === undefined ? fallback : quantityValue(parseQuantity(stated));
  };
  return {
    ...here,
    cpus: amount('cpu', here.cpus),
    memoryBytes: amount('memory', here.memoryBytes),
    ephemeralStorageBytes: amount('ephemeral-storage', here.ephemeralStorageBytes),
    hostname: metadata.name ?? here.hostname,
    ...(nodeInfo && {
      architecture: nodeInfo.architecture,
      kernelVersion: nodeInfo.kernelVersion,
      osImage: nodeInfo.osImage,
      machineId: nodeInfo.machineID,
      bootId: nodeInfo.bootID,
    }),
  };
}
