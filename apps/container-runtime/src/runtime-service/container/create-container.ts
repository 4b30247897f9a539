import { isAbsolute, join, resolve } from 'node:path';
import { CriError } from '@orrery/cri';
import type { ContainerConfig, CreateContainerRequest } from '@orrery/cri';
import { checkPropagation } from '../../process/propagation.js';
import type { Runtime } from '../../runtime.js';
import type { ImageRecord } from '../../store/image-store.js';

function refuseTakenName(
  runtime: Runtime,
  wantedSandbox: string,
  metadata: { readonly name: string; readonly attempt: number },
): void {
  const { name, attempt } = metadata;
  const taken = runtime.containers
    .list()
    .find(
      ({ sandboxId, config }) =>
        sandboxId === wantedSandbox &&
        config.metadata?.name === name &&
        config.metadata.attempt === attempt,
    );
  if (taken)
    throw new CriError(
      'UNKNOWN',
      `failed to reserve container name "${name}_${attempt}": it is reserved for "${taken.id}"`,
    );
}

/** As the user wrote it: the kubelet names images by id and keeps the user's text beside it. */
function imageNameOf({ image: spec }: ContainerConfig, image: ImageRecord): string {
  const wanted = spec?.image ?? '';
  const byId = /^(?:sha256:)?[0-9a-f]{64}$/.test(wanted);
  return spec?.userSpecifiedImage || (byId ? (image.repoTags[0] ?? wanted) : wanted);
}

/** Empty when nothing shall be logged. Throws when it would be outside of the pod's folder. */
function logPathOf({ logPath }: ContainerConfig, folder: string): string {
  if (logPath.split('/').includes('..') || logPath.includes('\0'))
    throw new CriError('INVALID_ARGUMENT', `log path "${logPath}" leaves the folder of the pod`);
  const path = isAbsolute(logPath) ? logPath : join(folder, logPath);
  return logPath === '' || !isAbsolute(path) ? '' : path;
}

/** Paths inside of the container start at its root and never leave it, whatever dots they hold. */
const insideRoot = (path: string): string => resolve('/', path);

/** As it is kept: with volumes of images as folders of this machine. */
function recorded(runtime: Runtime, config: ContainerConfig): ContainerConfig {
  return {
    ...config,
    workingDir: config.workingDir === '' ? '' : insideRoot(config.workingDir),
    mounts: config.mounts.map((mount) => ({
      ...runtime.imageVolumes.resolve(mount),
      containerPath: insideRoot(mount.containerPath),
    })),
  };
}

export function createContainer(
  runtime: Runtime,
  { podSandboxId, config, sandboxConfig }: CreateContainerRequest,
): { containerId: string } {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  if (!config?.metadata)
    throw new CriError('INVALID_ARGUMENT', 'container config must include metadata');
  const wanted = config.image?.image ?? '';
  const image =
    runtime.images.find(wanted) ?? runtime.images.find(config.image?.userSpecifiedImage ?? '');
  if (!image)
    throw new CriError('NOT_FOUND', `failed to resolve image "${wanted}": image not found`);
  refuseTakenName(runtime, sandbox.id, config.metadata);
  checkPropagation(config.mounts, runtime.isolation);
  const id = runtime.newId();
  const named = imageNameOf(config, image);
  runtime.containers.put({
    id,
    sandboxId: sandbox.id,
    config: recorded(runtime, config),
    image: named,
    user: runtime.usersOf(config, named),
    imageId: image.id,
    imageRef: image.repoDigests[0] ?? image.id,
    logPath: logPathOf(config, sandboxConfig?.logDirectory || sandbox.config.logDirectory),
    createdAt: runtime.clock.now(),
    lifecycle: { state: 'created' },
  });
  runtime.engine.emit(id, 'CONTAINER_CREATED_EVENT');
  return { containerId: id };
}
