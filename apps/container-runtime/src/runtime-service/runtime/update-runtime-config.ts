import type { UpdateRuntimeConfigRequest } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function updateRuntimeConfig(
  runtime: Runtime,
  { runtimeConfig }: UpdateRuntimeConfigRequest,
): object {
  runtime.network.setPodCidr(runtimeConfig?.networkConfig?.podCidr ?? '');
  return {};
}
