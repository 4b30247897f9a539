import { CriError } from '@orrery/cri';
import type { PodSandboxConfig, RunPodSandboxRequest } from '@orrery/cri';
import type { SandboxNetwork } from '../../network/pod-network.js';
import type { RuntimeOptions } from '../../options.js';
import type { Runtime } from '../../runtime.js';

const nameOf = ({ metadata }: PodSandboxConfig): string =>
  `${metadata?.name ?? ''}_${metadata?.namespace ?? ''}_${metadata?.uid ?? ''}_${metadata?.attempt ?? 0}`;

function checkNameFree(runtime: Runtime, name: string): void {
  const taken =
    runtime.sandboxes.list().find(({ config }) => nameOf(config) === name)?.id ??
    runtime.startingSandboxes.get(name);
  if (taken !== undefined)
    throw new CriError(
      'UNKNOWN',
      `failed to reserve sandbox name "${name}": name "${name}" is reserved for "${taken}"`,
    );
}

/** The node's own addresses: nothing is attached. */
const ownNetwork = ({ nodeIp, secondNodeIp }: RuntimeOptions): SandboxNetwork => ({
  ips: secondNodeIp === undefined ? [nodeIp] : [nodeIp, secondNodeIp],
});

export async function runPodSandbox(
  runtime: Runtime,
  { config, runtimeHandler }: RunPodSandboxRequest,
): Promise<{ podSandboxId: string }> {
  if (!config?.metadata)
    throw new CriError('INVALID_ARGUMENT', 'sandbox config must include metadata');
  if (runtimeHandler !== '')
    throw new CriError('UNKNOWN', `no runtime for "${runtimeHandler}" is configured`);
  const name = nameOf(config);
  checkNameFree(runtime, name);
  const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
  const id = runtime.newId();
  const createdAt = runtime.clock.now();
  const sandbox = { id, config, runtimeHandler, createdAt, ready: true, hostNetwork };
  runtime.startingSandboxes.set(name, id);
  try {
    const { ips, netns } = hostNetwork
      ? ownNetwork(runtime.options)
      : await runtime.network.attach(sandbox);
    const [ip, ...moreIps] = ips;
    const record = {
      ...sandbox,
      ip,
      ...(moreIps.length > 0 && { moreIps }),
      ...(netns !== undefined && { netns }),
    };
    runtime.sandboxes.put(record);
    if (!runtime.network.servesHostPorts) await runtime.hostPorts.open(record);
  } finally {
    runtime.startingSandboxes.delete(name);
  }
  runtime.events.emit({ containerId: id, containerEventType: 'CONTAINER_CREATED_EVENT' });
  runtime.engine.emit(id, 'CONTAINER_STARTED_EVENT', id);
  return { podSandboxId: id };
}
