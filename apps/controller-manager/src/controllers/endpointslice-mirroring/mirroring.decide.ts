import type {
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from '@orrery/api';
import { resources } from '@orrery/api';
import { toControllerRef } from '@orrery/controller';
import type { ResolvedPort } from '../endpointslice/service-pods.js';
import {
  MANAGED_BY,
  SERVICE_NAME,
  addEndpoint,
  packSlices,
} from '../endpointslice/slice-packing.js';
import { TRIGGER_TIME } from '../endpointslice/trigger-times.js';
import type { EndpointGroup, SlicePlan } from '../endpointslice/slice-packing.js';

export const MIRROR = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Endpoints of one slice (k8s discovery/v1 validation: at most 1000). */
export const MOST = 1000;

/** Whether Endpoints are to be seen in slices too: only those of a Service that a user keeps by hand. */
export function isMirrored(endpoints: Endpoints, service: Service | undefined): boolean {
  const { labels, annotations, deletionTimestamp } = endpoints.metadata;
  if (labels?.[SKIP] === 'true' || annotations?.[LEADER] !== undefined || deletionTimestamp)
    return false;
  return service !== undefined && service.spec?.selector === undefined;
}

function toEndpoint(address: EndpointAddress, ready: boolean): Endpoint {
  const { ip, hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}

const portsOf = ({ ports = [] }: EndpointSubset): ResolvedPort[] =>
  ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol ? { appProtocol } : {}),
  }));

function groupsOf({ subsets = [] }: Endpoints, mostPerSubset: number): Map<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const subset of subsets) {
    const ports = portsOf(subset);
    const { addresses = [], notReadyAddresses = [] } = subset;
    const ready = addresses.slice(0, mostPerSubset);
    const notReady = notReadyAddresses.slice(0, Math.max(0, mostPerSubset - ready.length));
    for (const [list, isReady] of [[ready, true] as const, [notReady, false] as const])
      for (const address of list) {
        const addressType = address.ip.includes(':') ? 'IPv6' : 'IPv4';
        addEndpoint(groups, { addressType, ports }, address.ip, toEndpoint(address, isReady));
      }
  }
  return groups;
}

/** Pure: the changes of slices that say what the Endpoints say (k8s pkg/controller/endpointslicemirroring). */
export function planMirror(
  endpoints: Endpoints,
  existing: readonly EndpointSlice[],
  mostPerSubset: number,
): SlicePlan {
  const { name = '', namespace = '', labels, annotations } = endpoints.metadata;
  const { [LAST_APPLIED]: _applied, [TRIGGER_TIME]: _time, ...kept } = annotations ?? {};
  const owner = {
    name,
    namespace,
    labels: { ...labels, [SERVICE_NAME]: name, [MANAGED_BY]: MIRROR },
    annotations: kept,
    reference: toControllerRef(resources.endpoints, endpoints),
    most: MOST,
    placeholders: [],
  };
  return packSlices(owner, groupsOf(endpoints, mostPerSubset), existing);
}
