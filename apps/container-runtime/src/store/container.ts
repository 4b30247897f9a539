import { toNanoseconds } from '@orrery/cri';
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  Init,
  LinuxContainerUser,
} from '@orrery/cri';
import { parseReference } from '../catalog/reference.js';

/**
 *   created ──start──► running ──exit──► exited
 *      └───────start failed───────────────▲
 */
export type ContainerLifecycle =
  | { readonly state: 'created' }
  | {
      readonly state: 'running';
      readonly startedAt: number;
      /** Of a host process: to find it again after a restart of the runtime; 0 for a built-in program. */
      readonly pid: number;
      /** Field 22 of /proc/PID/stat, which tells a process from a later one with the same pid. */
      readonly pidStart: string;
    }
  | {
      readonly state: 'exited';
      readonly startedAt: number;
      readonly finishedAt: number;
      readonly exitCode: number;
      readonly reason: string;
      readonly message: string;
    };

export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  /** The image as the user wrote it, and its digest. */
  readonly image: string;
  readonly imageId: string;
  readonly imageRef: string;
  /** Absolute; empty when the sandbox has no log folder. */
  readonly logPath: string;
  readonly createdAt: number;
  readonly lifecycle: ContainerLifecycle;
  /** As whom its first process runs; absent in records of earlier versions. */
  readonly user?: LinuxContainerUser;
}

const STATES = {
  created: 'CONTAINER_CREATED',
  running: 'CONTAINER_RUNNING',
  exited: 'CONTAINER_EXITED',
} as const;

export function toContainer(record: ContainerRecord): Init<Container> {
  return {
    id: record.id,
    podSandboxId: record.sandboxId,
    metadata: record.config.metadata,
    image: { image: record.image, userSpecifiedImage: record.image },
    imageRef: record.imageRef,
    imageId: record.imageId,
    state: STATES[record.lifecycle.state],
    createdAt: toNanoseconds(record.createdAt),
    labels: record.config.labels,
    annotations: record.config.annotations,
  };
}

function times(lifecycle: ContainerLifecycle): Init<ContainerStatus> {
  if (lifecycle.state === 'created') return {};
  const startedAt = toNanoseconds(lifecycle.startedAt);
  if (lifecycle.state === 'running') return { startedAt };
  const { exitCode, reason, message } = lifecycle;
  return { startedAt, finishedAt: toNanoseconds(lifecycle.finishedAt), exitCode, reason, message };
}

export function toContainerStatus(record: ContainerRecord): Init<ContainerStatus> {
  const { config } = record;
  return {
    id: record.id,
    metadata: config.metadata,
    state: STATES[record.lifecycle.state],
    createdAt: toNanoseconds(record.createdAt),
    ...times(record.lifecycle),
    // With registry and tag, as containerd shows it.
    image: {
      image: parseReference(record.image)?.normalized ?? record.image,
      userSpecifiedImage: record.image,
    },
    imageRef: record.imageRef,
    imageId: record.imageId,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: record.logPath,
    resources: { linux: config.linux?.resources },
    ...(record.user && { user: { linux: record.user } }),
    stopSignal: config.stopSignal,
  };
}
