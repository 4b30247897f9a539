import { CriError } from '@orrery/cri';
import type { UpdatePodSandboxResourcesRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** New limits of a pod as a whole, kept with its sandbox. */
export function updatePodSandboxResources(
  runtime: Runtime,
  { podSandboxId, overhead, resources }: UpdatePodSandboxResourcesRequest,
): object {
  const sandbox = runtime.sandboxes.get(podSandboxId);
  const { linux } = sandbox.config;
  const base = linux ?? { cgroupParent: '', sysctls: {} };
  const config = {
    ...sandbox.config,
    linux: { ...base, ...(overhead && { overhead }), ...(resources && { resources }) },
  };
  const changed = { ...sandbox, config };
  try {
    runtime.engine.limits.updatePod(changed, runtime.containers.list());
  } catch (error) {
    throw new CriError('UNKNOWN', `failed to update resources: ${String(error)}`, { cause: error });
  }
  runtime.sandboxes.put(changed);
  return {};
}
