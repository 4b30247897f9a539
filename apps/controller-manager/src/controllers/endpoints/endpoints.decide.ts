import type { EndpointAddress, EndpointSubset, Pod, Service } from '@orrery/api';
import { isReady, isTerminated } from '../../pods/pod-state.js';
import { hostnameOf, isHeadless, portsKey, portsOf } from '../endpointslice/service-pods.js';
import type { ResolvedPort } from '../endpointslice/service-pods.js';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
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
    ...(ready.length > 0 ? { addresses: ready.sort(byIp).slice(0, MAX_ADDRESSES) } : {}),
    ...(notReady.length > 0
      ? { notReadyAddresses: notReady.sort(byIp).slice(0, MAX_ADDRESSES) }
      : {}),
    ...(ports.length > 0
      ? {
          ports: ports.map(({ name, port, protocol, appProtocol }) => ({
            ...(name ? { name } : {}),
            port,
            protocol,
            ...(appProtocol ? { appProtocol } : {}),
          })),
        }
      : {}),
  };
}

/** Pure: the subsets that a Service's pods mean, in a fixed order. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
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
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => toSubset(group));
}

/** The labels of a Service's Endpoints. */
export function endpointsLabels(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    [MANAGED_BY]: 'endpoint-controller',
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
}
