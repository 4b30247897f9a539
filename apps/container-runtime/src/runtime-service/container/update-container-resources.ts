import type { UpdateContainerResourcesRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Kept with the container and shown in its status; nothing is limited (README.md, Not modelled). */
export function updateContainerResources(
  runtime: Runtime,
  { containerId, linux }: UpdateContainerResourcesRequest,
): object {
  const container = runtime.containers.get(containerId);
  if (!linux) return {};
  const { config } = container;
  const resources = { ...config.linux?.resources, ...linux };
  runtime.containers.put({
    ...container,
    config: { ...config, linux: { ...config.linux, resources } },
  });
  return {};
}
