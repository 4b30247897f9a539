import type { RemovePodSandboxRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import { stopPodSandbox } from './stop-pod-sandbox.js';

export async function removePodSandbox(
  runtime: Runtime,
  { podSandboxId }: RemovePodSandboxRequest,
): Promise<object> {
  const sandbox = runtime.sandboxes.find(podSandboxId);
  if (!sandbox) return {};
  await stopPodSandbox(runtime, { podSandboxId: sandbox.id });
  for (const container of runtime.containers.list())
    if (container.sandboxId === sandbox.id) await runtime.engine.remove(container);
  runtime.sandboxes.delete(sandbox.id);
  runtime.engine.emit(sandbox.id, 'CONTAINER_DELETED_EVENT', sandbox.id);
  return {};
}
