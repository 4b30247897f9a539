import type { RuntimeConfigResponse } from '@orrery/cri';

export function runtimeConfig(): RuntimeConfigResponse {
  return { linux: { cgroupDriver: 'CGROUPFS' } };
}
