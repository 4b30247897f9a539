import type { ContainerStatusRequest, ContainerStatusResponse, Init } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { toContainerStatus } from '../../store/container.js';

export function containerStatus(
  runtime: Runtime,
  { containerId, verbose }: ContainerStatusRequest,
): Init<ContainerStatusResponse> {
  const container = runtime.containers.get(containerId);
  const pid = container.lifecycle.state === 'running' ? container.lifecycle.pid : 0;
  return {
    status: toContainerStatus(container),
    info: verbose ? { info: JSON.stringify({ sandboxID: container.sandboxId, pid }) } : {},
  };
}
