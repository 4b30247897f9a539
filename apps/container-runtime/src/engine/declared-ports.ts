import type { ContainerConfig, PodSandboxConfig } from '@orrery/cri';
import type { DeclaredPort } from '../programs/program.js';

/** Where upstream's kubelet tells a container's ports (k8s pkg/kubelet/kuberuntime/labels.go: containerPortsLabel). */
const PORTS_ANNOTATION = 'io.kubernetes.container.ports';

function fromAnnotation(text: string | undefined): DeclaredPort[] {
  if (text === undefined) return [];
  try {
    const ports = JSON.parse(text) as { containerPort: number; protocol?: string }[];
    return ports.map(({ containerPort, protocol }) => ({
      port: containerPort,
      protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
    }));
  } catch {
    return [];
  }
}

/** The ports of the container where the kubelet tells them, else all of the pod's. */
export function declaredPorts(
  container: ContainerConfig,
  sandbox: PodSandboxConfig,
): readonly DeclaredPort[] {
  const own = fromAnnotation(container.annotations[PORTS_ANNOTATION]);
  if (own.length > 0) return own;
  return sandbox.portMappings.map(({ containerPort, protocol }) => ({
    port: containerPort,
    protocol,
  }));
}
