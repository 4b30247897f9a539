import { CriError } from '@orrery/cri';
import type { UpdateContainerResourcesRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Changes the limits of a running container, or of one before its start. */
export function updateContainerResources(
  runtime: Runtime,
  { containerId, linux }: UpdateContainerResourcesRequest,
): object {
  const container = runtime.containers.get(containerId);
  if (!linux) return {};
  const { config } = container;
  const resources = { ...config.linux?.resources, ...linux };
  const changed = { ...container, config: { ...config, linux: { ...config.linux, resources } } };
  try {
    runtime.engine.limits.update(changed);
  } catch (error) {
    throw new CriError('UNKNOWN', `failed to update resources: ${String(error)}`, { cause: error });
  }
  runtime.containers.put(changed);
  return {};
}
