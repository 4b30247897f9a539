import { toNanoseconds } from '@orrery/cri';
import type { Init, PodSandboxStatusRequest, PodSandboxStatusResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { toContainerStatus } from '../../store/container.js';
import { toSandboxStatus } from '../../store/sandbox.js';

export function podSandboxStatus(
  runtime: Runtime,
  { podSandboxId, verbose }: PodSandboxStatusRequest,
): Init<PodSandboxStatusResponse> {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  return {
    status: toSandboxStatus(sandbox),
    info: verbose ? { info: JSON.stringify({ isolation: runtime.isolation }) } : {},
    containersStatuses: runtime.containers
      .list()
      .filter(({ sandboxId }) => sandboxId === sandbox.id)
      .map(toContainerStatus),
    timestamp: toNanoseconds(runtime.clock.now()),
  };
}
