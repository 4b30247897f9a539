import type { StopPodSandboxRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Idempotent: an unknown sandbox is already stopped (containerd internal/cri/server/sandbox_stop.go). */
export async function stopPodSandbox(
  runtime: Runtime,
  { podSandboxId }: StopPodSandboxRequest,
): Promise<object> {
  const sandbox = runtime.sandboxes.find(podSandboxId);
  if (!sandbox) return {};
  const running = runtime.containers.list().filter(({ sandboxId }) => sandboxId === sandbox.id);
  await Promise.all(running.map((container) => runtime.engine.stop(container, 0)));
  if (!sandbox.ready) return {};
  if (!sandbox.hostNetwork) {
    await runtime.hostPorts.close(sandbox.id);
    await runtime.network.detach(sandbox);
  }
  runtime.sandboxes.put({ ...sandbox, ready: false });
  runtime.engine.emit(sandbox.id, 'CONTAINER_STOPPED_EVENT', sandbox.id);
  return {};
}
