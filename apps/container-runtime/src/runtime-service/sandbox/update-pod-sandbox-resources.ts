import type { UpdatePodSandboxResourcesRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

/** Kept with the sandbox; nothing is limited (README.md, Not modelled). */
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
  runtime.sandboxes.put({ ...sandbox, config });
  return {};
}
