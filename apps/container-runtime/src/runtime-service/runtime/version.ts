import { KUBERNETES_VERSION } from '@orrery/component';
import type { VersionResponse } from '@orrery/cri';

export function version(): VersionResponse {
  return {
    version: '0.1.0',
    runtimeName: 'orrery',
    runtimeVersion: KUBERNETES_VERSION,
    runtimeApiVersion: 'v1',
  };
}
