import type { Init, StatusRequest, StatusResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function status(runtime: Runtime, { verbose }: StatusRequest): Init<StatusResponse> {
  const problem = runtime.network.problem();
  return {
    status: {
      conditions: [
        { type: 'RuntimeReady', status: true },
        problem === undefined
          ? { type: 'NetworkReady', status: true }
          : {
              type: 'NetworkReady',
              status: false,
              reason: 'NetworkPluginNotReady',
              message: `Network plugin returns error: ${problem}`,
            },
      ],
    },
    runtimeHandlers: [
      {
        name: '',
        features: { recursiveReadOnlyMounts: runtime.isolation !== 'none', userNamespaces: false },
      },
    ],
    features: { supplementalGroupsPolicy: true },
    info: verbose
      ? {
          config: JSON.stringify({
            isolation: runtime.isolation,
            podCIDR: runtime.network.podCidr,
          }),
        }
      : {},
  };
}
