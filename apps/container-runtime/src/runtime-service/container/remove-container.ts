import type { RemoveContainerRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Idempotent; a running container is killed first. */
export async function removeContainer(
  runtime: Runtime,
  { containerId }: RemoveContainerRequest,
): Promise<object> {
  const container = runtime.containers.find(containerId);
  if (container) await runtime.engine.remove(container);
  return {};
}
