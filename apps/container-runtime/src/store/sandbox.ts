import { toNanoseconds } from '@orrery/cri';
import type { Init, PodSandbox, PodSandboxConfig, PodSandboxStatus } from '@orrery/cri';

/** A pod sandbox: the shared address, hostname and volumes of a pod's containers. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly createdAt: number;
  readonly ready: boolean;
  /** The pod's address; the node's when it uses the host network. */
  readonly ip: string;
  readonly hostNetwork: boolean;
  /** Further addresses: the second stack's. */
  readonly moreIps?: readonly string[];
  /** Path of its own network namespace; absent where pods share the node's. */
  readonly netns?: string;
}

export function toPodSandbox(record: SandboxRecord): Init<PodSandbox> {
  return {
    id: record.id,
    metadata: record.config.metadata,
    state: record.ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt: toNanoseconds(record.createdAt),
    labels: record.config.labels,
    annotations: record.config.annotations,
    runtimeHandler: record.runtimeHandler,
  };
}

export function toSandboxStatus(record: SandboxRecord): Init<PodSandboxStatus> {
  return {
    ...toPodSandbox(record),
    network: record.hostNetwork
      ? { ip: '' }
      : { ip: record.ip, additionalIps: (record.moreIps ?? []).map((ip) => ({ ip })) },
    linux: {
      namespaces: { options: record.config.linux?.securityContext?.namespaceOptions },
    },
  };
}
