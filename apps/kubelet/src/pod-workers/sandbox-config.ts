import type { Pod } from '@orrery/api';
import { sandboxHostname } from '../containers/hosts-file.js';
import { podLogDir } from '../containers/paths.js';
import type { KubeletPaths } from '../containers/paths.js';
import { podResources } from '../containers/resources.js';
import { allContainers, uidOf } from '../containers/visit.js';
import { POD_NAMESPACE_LABEL, POD_NAME_LABEL, POD_UID_LABEL } from '../runtime/labels.js';
import type { SandboxConfig } from '../runtime/runtime.js';

export interface SandboxOptions {
  readonly paths: KubeletPaths;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

function dnsOf(pod: Pod, options: SandboxOptions): SandboxConfig['dns'] {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  const own = pod.spec.dnsConfig ?? {};
  const cluster =
    policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  const domain = options.clusterDomain;
  const searches =
    cluster && domain
      ? [`${pod.metadata.namespace ?? ''}.svc.${domain}`, `svc.${domain}`, domain]
      : [];
  return {
    servers: [...(cluster ? options.clusterDns : []), ...(own.nameservers ?? [])],
    searches: [...searches, ...(own.searches ?? [])],
    options: [
      ...(cluster ? ['ndots:5'] : []),
      ...(own.options ?? []).map((one) =>
        one.value === undefined ? (one.name ?? '') : `${one.name ?? ''}:${one.value}`,
      ),
    ],
  };
}

function pidModeOf({ spec }: Pod): SandboxConfig['pidMode'] {
  if (spec.hostPID) return 'NODE';
  return spec.shareProcessNamespace ? 'POD' : 'CONTAINER';
}

/** k8s pkg/kubelet/kuberuntime/kuberuntime_sandbox.go:generatePodSandboxConfig. */
export function sandboxConfig(pod: Pod, attempt: number, options: SandboxOptions): SandboxConfig {
  return {
    name: pod.metadata.name ?? '',
    namespace: pod.metadata.namespace ?? '',
    uid: uidOf(pod),
    attempt,
    hostname: sandboxHostname(pod, options.clusterDomain),
    logDirectory: podLogDir(options.paths, pod),
    hostNetwork: pod.spec.hostNetwork === true,
    pidMode: pidModeOf(pod),
    hostIpc: pod.spec.hostIPC === true,
    privileged: allContainers(pod).some((one) => one.securityContext?.privileged === true),
    labels: {
      ...pod.metadata.labels,
      [POD_NAME_LABEL]: pod.metadata.name ?? '',
      [POD_NAMESPACE_LABEL]: pod.metadata.namespace ?? '',
      [POD_UID_LABEL]: uidOf(pod),
    },
    annotations: { ...pod.metadata.annotations },
    dns: dnsOf(pod, options),
    portMappings: [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(
      (container) =>
        (container.ports ?? []).map((port) => ({
          protocol: port.protocol ?? 'TCP',
          containerPort: port.containerPort,
          hostPort: port.hostPort ?? 0,
          hostIp: port.hostIP ?? '',
        })),
    ),
    sysctls: Object.fromEntries(
      (pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]),
    ),
    resources: podResources(pod),
  };
}
