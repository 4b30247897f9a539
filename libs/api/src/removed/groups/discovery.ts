import {
  EndpointSliceKind,
  endpointSliceStrategy,
} from '../../discovery/v1/endpointslice/endpointslice.kind.js';
import type { Json } from '../json.js';
import { changedItems, defined, fieldsOf, without } from '../json.js';
import { removedKind } from '../removed-kind.js';

const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';

/** Zone and node are entries of the topology; what else it says is kept as deprecatedTopology (k8s pkg/apis/discovery/v1beta1/conversion.go). */
function toHub(endpoint: Json): Json {
  const topology = fieldsOf(endpoint['topology']);
  const rest = without(topology, ZONE, HOSTNAME);
  return defined({
    ...without(endpoint, 'topology'),
    zone: topology[ZONE],
    nodeName: endpoint['nodeName'] ?? topology[HOSTNAME],
    deprecatedTopology: Object.keys(rest).length > 0 ? rest : undefined,
  });
}

function fromHub(endpoint: Json): Json {
  const { zone, nodeName } = endpoint;
  const topology = defined({
    ...fieldsOf(endpoint['deprecatedTopology']),
    [ZONE]: zone,
    [HOSTNAME]: nodeName,
  });
  return {
    ...without(endpoint, 'zone', 'deprecatedTopology'),
    ...(Object.keys(topology).length > 0 ? { topology } : {}),
  };
}

export const removedDiscovery = [
  removedKind(
    { ...EndpointSliceKind, strategy: endpointSliceStrategy },
    {
      version: 'v1beta1',
      lifecycle: { deprecated: '1.21', removed: '1.25' },
      conversion: {
        toHub: (object) => changedItems(object, 'endpoints', toHub),
        fromHub: (hub) => changedItems(hub, 'endpoints', fromHub),
      },
    },
  ),
];
