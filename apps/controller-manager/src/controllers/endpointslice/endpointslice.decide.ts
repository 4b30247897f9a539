import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, EndpointSlice, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import { toControllerRef } from '@orrery/controller';
import { isReady, isTerminated } from '../../pods/pod-state.js';
import { hostnameOf, isHeadless, portsKey, portsOf } from './service-pods.js';
import type { ResolvedPort } from './service-pods.js';

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';
const MAX_ENDPOINTS = 100;

type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that share their ports: what one slice can hold. */
export interface EndpointGroup {
  readonly addressType: AddressType;
  readonly ports: readonly ResolvedPort[];
  /** By address. */
  readonly endpoints: Map<string, Endpoint>;
}

const addressesOf = (pod: Pod, type: AddressType): string[] => {
  const all = pod.status?.podIPs?.map(({ ip }) => ip ?? '') ?? [pod.status?.podIP ?? ''];
  return all.filter((ip) => ip !== '' && ip.includes(':') === (type === 'IPv6'));
};

function toEndpoint(service: Service, pod: Pod, address: string): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(service, pod);
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
  };
}

const familiesOf = (service: Service): readonly AddressType[] => {
  const families = service.spec?.ipFamilies as AddressType[] | undefined;
  return families && families.length > 0 ? families : ['IPv4'];
};

const groupKey = (type: string, ports: readonly ResolvedPort[]): string =>
  `${type}|${portsKey(ports)}`;

/** Pure: the endpoints that a Service has, by address type and ports. */
export function groupsOf(service: Service, pods: readonly Pod[]): Map<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const pod of pods) {
    if (isTerminated(pod)) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && !isHeadless(service)) continue;
    for (const addressType of familiesOf(service))
      for (const address of addressesOf(pod, addressType)) {
        const key = groupKey(addressType, ports);
        const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() };
        group.endpoints.set(address, toEndpoint(service, pod, address));
        groups.set(key, group);
      }
  }
  return groups;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    [SERVICE_NAME]: service.metadata.name ?? '',
    [MANAGED_BY]: MANAGER,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
}

function newSlice(
  service: Service,
  group: Pick<EndpointGroup, 'addressType' | 'ports'>,
  endpoints: Endpoint[],
): EndpointSlice {
  return {
    metadata: {
      generateName: `${service.metadata.name ?? ''}-`,
      namespace: service.metadata.namespace ?? '',
      labels: labelsOf(service),
      ownerReferences: [toControllerRef(resources.services, service)],
    },
    addressType: group.addressType,
    endpoints,
    ports: group.ports.map((port) => ({ ...port })),
  };
}

const chunk = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );

/** The slice's endpoints that are still wanted, as they are now; taken out of `left`. */
function keep(slice: EndpointSlice, left: Map<string, Endpoint>): Endpoint[] {
  const kept: Endpoint[] = [];
  for (const { addresses } of slice.endpoints ?? []) {
    const address = addresses[0] ?? '';
    const endpoint = left.get(address);
    if (endpoint) kept.push(endpoint);
    left.delete(address);
  }
  return kept;
}

/**
 * Pure: the smallest change of slices that says what `pods` mean: endpoints stay in their slices, new ones fill
 * slices that change anyway or have room, and a Service without endpoints keeps one empty slice.
 */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  existing: readonly EndpointSlice[],
): SlicePlan {
  const groups = groupsOf(service, pods);
  const left = new Map([...groups].map(([key, g]) => [key, new Map(g.endpoints)]));
  const wanted = existing.map((slice) => {
    const key = groupKey(slice.addressType, (slice.ports ?? []) as ResolvedPort[]);
    return { slice, key, endpoints: keep(slice, left.get(key) ?? new Map<string, Endpoint>()) };
  });
  for (const { key, endpoints } of wanted) fill(endpoints, left.get(key));
  const create = [...left].flatMap(([key, rest]) => {
    const group = groups.get(key);
    return group
      ? chunk([...rest.values()], MAX_ENDPOINTS).map((part) => newSlice(service, group, part))
      : [];
  });
  return settle(service, wanted, create);
}

function fill(endpoints: Endpoint[], rest: Map<string, Endpoint> | undefined): void {
  for (const [address, endpoint] of rest ?? []) {
    if (endpoints.length >= MAX_ENDPOINTS) return;
    endpoints.push(endpoint);
    rest?.delete(address);
  }
}

function settle(
  service: Service,
  wanted: readonly { slice: EndpointSlice; endpoints: Endpoint[] }[],
  create: readonly EndpointSlice[],
): SlicePlan {
  const labels = labelsOf(service);
  const full = wanted.filter(({ endpoints }) => endpoints.length > 0);
  const kept = full.length === 0 && create.length === 0 ? wanted.slice(0, 1) : full;
  const update = kept
    .map(({ slice, endpoints }) => ({
      ...slice,
      metadata: { ...slice.metadata, labels },
      endpoints,
    }))
    .filter((next, i) => {
      const before = kept[i]?.slice;
      return (
        !isDeepStrictEqual(next.endpoints, before?.endpoints ?? []) ||
        !isDeepStrictEqual(labels, before?.metadata.labels)
      );
    });
  const empty =
    kept.length === 0 && create.length === 0
      ? familiesOf(service).map((addressType) => newSlice(service, { addressType, ports: [] }, []))
      : [];
  return {
    create: [...create, ...empty],
    update,
    remove: wanted.filter((w) => !kept.includes(w)).map(({ slice }) => slice),
  };
}
