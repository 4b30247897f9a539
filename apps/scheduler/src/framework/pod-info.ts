import type { Pod } from '@orrery/api';
import type { AffinityTerms } from './affinity-terms.js';
import { affinityTermsOf } from './affinity-terms.js';
import type { Resources } from './resources.js';
import { podNonZeroRequest, podRequest } from './resources.js';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod and what is worked out from it once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly priority: number;
  readonly request: Resources;
  /** With a little for containers that ask for nothing: for scores. */
  readonly nonZeroRequest: Resources;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: AffinityTerms | undefined;
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return [...pod.spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => ({
        ip: port.hostIP || '0.0.0.0',
        protocol: port.protocol ?? 'TCP',
        port: port.hostPort ?? 0,
      })),
  );
}

export function toPodInfo(pod: Pod): PodInfo {
  const { uid = '', namespace = '', name = '' } = pod.metadata;
  return {
    pod,
    uid,
    namespace,
    name,
    priority: pod.spec.priority ?? 0,
    request: podRequest(pod),
    nonZeroRequest: podNonZeroRequest(pod),
    hostPorts: hostPortsOf(pod),
    affinity: affinityTermsOf(pod),
  };
}

/** The same pod on a node, without working everything out again. */
export const assignedTo = (info: PodInfo, nodeName: string): PodInfo => ({
  ...info,
  pod: { ...info.pod, spec: { ...info.pod.spec, nodeName } },
});

export const keyOfPod = (info: PodInfo): string => `${info.namespace}/${info.name}`;
