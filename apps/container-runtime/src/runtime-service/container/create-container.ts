import { isAbsolute, join } from 'node:path';
import { CriError } from '@orrery/cri';
import type { CreateContainerRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function createContainer(
  runtime: Runtime,
  { podSandboxId, config, sandboxConfig }: CreateContainerRequest,
): { containerId: string } {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  if (!config?.metadata)
    throw new CriError('INVALID_ARGUMENT', 'container config must include metadata');
  const named = config.image?.userSpecifiedImage ?? '';
  const wanted = config.image?.image ?? '';
  const image = runtime.images.find(wanted) ?? runtime.images.find(named);
  if (!image)
    throw new CriError('NOT_FOUND', `failed to resolve image "${wanted}": image not found`);
  const { name, attempt } = config.metadata;
  const taken = runtime.containers
    .list()
    .find(
      ({ sandboxId, config: { metadata } }) =>
        sandboxId === sandbox.id && metadata?.name === name && metadata.attempt === attempt,
    );
  if (taken)
    throw new CriError(
      'UNKNOWN',
      `failed to reserve container name "${name}_${attempt}": it is reserved for "${taken.id}"`,
    );
  const logDirectory = sandboxConfig?.logDirectory || sandbox.config.logDirectory;
  const logPath = isAbsolute(config.logPath) ? config.logPath : join(logDirectory, config.logPath);
  const id = runtime.newId();
  const byId = /^(?:sha256:)?[0-9a-f]{64}$/.test(wanted);
  runtime.containers.put({
    id,
    sandboxId: sandbox.id,
    config,
    image: named || (byId ? (image.repoTags[0] ?? wanted) : wanted),
    imageId: image.id,
    imageRef: image.repoDigests[0] ?? image.id,
    logPath: config.logPath === '' || !isAbsolute(logPath) ? '' : logPath,
    createdAt: runtime.clock.now(),
    lifecycle: { state: 'created' },
  });
  runtime.engine.emit(id, 'CONTAINER_CREATED_EVENT');
  return { containerId: id };
}
