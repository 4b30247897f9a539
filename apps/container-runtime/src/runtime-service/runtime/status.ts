import type { Init, StatusRequest, StatusResponse } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';

export function status(runtime: Runtime, { verbose }: StatusRequest): Init<StatusResponse> {
  const networkReady = runtime.podIps.podCidr !== '';
  return {
    status: {
      conditions: [
        { type: 'RuntimeReady', status: true },
        networkReady
          ? { type: 'NetworkReady', status: true }
          : {
              type: 'NetworkReady',
              status: false,
              reason: 'NetworkPluginNotReady',
              message: 'Network plugin returns error: the pod CIDR of this node is not known yet',
            },
      ],
    },
    runtimeHandlers: [
      { name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: false } },
    ],
    features: { supplementalGroupsPolicy: false },
    info: verbose
      ? {
          config: JSON.stringify({ isolation: runtime.isolation, podCIDR: runtime.podIps.podCidr }),
        }
      : {},
  };
}
