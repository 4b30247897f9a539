import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '@orrery/api';
import { isReady, isTerminated } from '../../pods/pod-state.js';
import {
  hostnameOf,
  isHeadless,
  ownLabels,
  portsKey,
  portsOf,
} from '../endpointslice/service-pods.js';
import type { ResolvedPort } from '../endpointslice/service-pods.js';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
/** k8s pkg/controller/endpoint: maxCapacity; the rest is seen in EndpointSlices only. */
const MAX_ADDRESSES = 1000;

interface Group {
  readonly ports: readonly ResolvedPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

function toAddress(service: Service, pod: Pod, ip: string): EndpointAddress {
  const hostname = hostnameOf(service, pod);
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

const byIp = (a: EndpointAddress, b: EndpointAddress): number =>
  a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0;

function toSubset({ ports, ready, notReady }: Group): EndpointSubset {
  return {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ...(ports.length > 0 ? { ports: ports.map(toPort) } : {}),
  };
}

const toPort = ({ name, port, protocol, appProtocol }: ResolvedPort): EndpointPort => ({
  ...(name ? { name } : {}),
  port,
  protocol,
  ...(appProtocol ? { appProtocol } : {}),
});

/** At most so many addresses in all; the ready ones first. True when some were left out. */
function truncate(groups: readonly Group[]): boolean {
  let room = MAX_ADDRESSES;
  let truncated = false;
  for (const kind of ['ready', 'notReady'] as const)
    for (const group of groups) {
      const list = group[kind].sort(byIp);
      truncated ||= list.length > room;
      list.splice(room);
      room -= list.length;
    }
  return truncated;
}

/** Pure: the subsets that a Service's pods mean, in a fixed order. */
export function subsetsOf(
  service: Service,
  pods: readonly Pod[],
): { readonly subsets: EndpointSubset[]; readonly truncated: boolean } {
  const groups = new Map<string, Group>();
  const tolerant = service.spec?.publishNotReadyAddresses === true;
  for (const pod of pods) {
    const ip = pod.status?.podIP;
    if (!ip || isTerminated(pod) || (pod.metadata.deletionTimestamp && !tolerant)) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && !isHeadless(service)) continue;
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    const list = tolerant || isReady(pod) ? group.ready : group.notReady;
    list.push(toAddress(service, pod, ip));
    groups.set(key, group);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const truncated = truncate(sorted);
  const subsets = sorted.map(toSubset).filter((one) => one.addresses ?? one.notReadyAddresses);
  return { subsets, truncated };
}

/** The labels of a Service's Endpoints. */
export const endpointsLabels = (service: Service): Record<string, string> => ({
  ...ownLabels(service),
  [MANAGED_BY]: 'endpoint-controller',
});

const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

/** The annotations with what they should say of addresses that were left out (k8s pkg/controller/endpoint: truncateEndpoints). */
export function endpointsAnnotations(
  before: Readonly<Record<string, string>> | undefined,
  truncated: boolean,
): Record<string, string> {
  const { [OVER_CAPACITY]: _, ...others } = before ?? {};
  return truncated ? { ...others, [OVER_CAPACITY]: 'truncated' } : others;
}
