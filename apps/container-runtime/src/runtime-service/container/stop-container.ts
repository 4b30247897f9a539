import type { StopContainerRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Idempotent, also for a container that is gone; `timeout` is in seconds. */
export async function stopContainer(
  runtime: Runtime,
  { containerId, timeout }: StopContainerRequest,
): Promise<object> {
  const container = runtime.containers.find(containerId);
  if (container) await runtime.engine.stop(container, timeout * 1_000);
  return {};
}
