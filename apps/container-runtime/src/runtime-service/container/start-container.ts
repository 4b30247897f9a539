import type { StartContainerRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export async function startContainer(
  runtime: Runtime,
  { containerId }: StartContainerRequest,
): Promise<object> {
  await runtime.engine.start(runtime.containers.get(containerId));
  return {};
}
