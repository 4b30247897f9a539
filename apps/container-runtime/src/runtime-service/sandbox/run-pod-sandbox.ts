import { CriError } from '@orrery/cri';
import type { RunPodSandboxRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function runPodSandbox(
  runtime: Runtime,
  { config, runtimeHandler }: RunPodSandboxRequest,
): { podSandboxId: string } {
  const metadata = config?.metadata;
  if (!metadata) throw new CriError('INVALID_ARGUMENT', 'sandbox config must include metadata');
  if (runtimeHandler !== '')
    throw new CriError('UNKNOWN', `no runtime for "${runtimeHandler}" is configured`);
  const taken = runtime.sandboxes
    .list()
    .find(
      ({ config: { metadata: other } }) =>
        other?.uid === metadata.uid &&
        other.name === metadata.name &&
        other.namespace === metadata.namespace &&
        other.attempt === metadata.attempt,
    );
  const name = `${metadata.name}_${metadata.namespace}_${metadata.uid}_${metadata.attempt}`;
  if (taken)
    throw new CriError(
      'UNKNOWN',
      `failed to reserve sandbox name "${name}": name "${name}" is reserved for "${taken.id}"`,
    );
  const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
  const id = runtime.newId();
  runtime.sandboxes.put({
    id,
    config,
    runtimeHandler,
    createdAt: runtime.clock.now(),
    ready: true,
    ip: hostNetwork ? runtime.options.nodeIp : runtime.podIps.allocate(),
    hostNetwork,
  });
  runtime.events.emit({ containerId: id, containerEventType: 'CONTAINER_CREATED_EVENT' });
  runtime.engine.emit(id, 'CONTAINER_STARTED_EVENT', id);
  return { podSandboxId: id };
}
