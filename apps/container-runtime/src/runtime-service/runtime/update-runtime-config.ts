import type { UpdateRuntimeConfigRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function updateRuntimeConfig(
  runtime: Runtime,
  { runtimeConfig }: UpdateRuntimeConfigRequest,
): object {
  runtime.podIps.setPodCidr(runtimeConfig?.networkConfig?.podCidr ?? '');
  return {};
}
