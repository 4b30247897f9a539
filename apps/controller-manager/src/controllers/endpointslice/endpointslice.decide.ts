import type { Endpoint, EndpointSlice, Node, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import { toControllerRef } from '@orrery/controller';
import { isReady, isTerminated } from '../../pods/pod-state.js';
import { hostnameOf, isHeadless, ownLabels, portsOf } from './service-pods.js';
import { MANAGED_BY, SERVICE_NAME, addEndpoint, packSlices } from './slice-packing.js';
import type { AddressType, EndpointGroup, SlicePlan } from './slice-packing.js';
import { planZones, wantsTopologyHints } from './topology-hints.js';

export const MANAGER = 'endpointslice-controller.k8s.io';
const ZONE = 'topology.kubernetes.io/zone';

export interface SliceWorld {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly existing: readonly EndpointSlice[];
  readonly nodeOf: (name: string) => Node | undefined;
  readonly most: number;
  /** Shares of zones in the processors of the nodes; asked for when hints are wanted. */
  readonly zoneShares?: () => ReadonlyMap<string, number> | undefined;
}

/** What the slices say, and why hints that were wanted are not in them, by address type. */
export interface ServiceSlices {
  readonly plan: SlicePlan;
  readonly hints: ReadonlyMap<AddressType, 'given' | { readonly refused: string }>;
}

const addressesOf = (pod: Pod, type: AddressType): string[] => {
  const all = pod.status?.podIPs?.map(({ ip }) => ip ?? '') ?? [pod.status?.podIP ?? ''];
  return all.filter((ip) => ip !== '' && ip.includes(':') === (type === 'IPv6'));
};

/** Whom traffic is to come from, by the Service's trafficDistribution (k8s endpointslice/trafficdist). */
function hintsOf(
  service: Service,
  ready: boolean,
  place: { readonly zone: string | undefined; readonly nodeName: string | undefined },
): Endpoint['hints'] {
  const { trafficDistribution: wish } = service.spec ?? {};
  const byZone = wish === 'PreferClose' || wish === 'PreferSameZone' || wish === 'PreferSameNode';
  if (!byZone || !ready || wantsTopologyHints(service)) return undefined;
  const { zone, nodeName } = place;
  const forNodes = wish === 'PreferSameNode' && nodeName ? [{ name: nodeName }] : undefined;
  if (!zone && !forNodes) return undefined;
  return {
    ...(zone ? { forZones: [{ name: zone }] } : {}),
    ...(forNodes ? { forNodes } : {}),
  };
}

function toEndpoint({ service, nodeOf }: SliceWorld, pod: Pod, address: string): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(service, pod);
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const { nodeName } = pod.spec ?? {};
  const zone = nodeName ? nodeOf(nodeName)?.metadata.labels?.[ZONE] : undefined;
  const hints = hintsOf(service, ready, { zone, nodeName });
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hints ? { hints } : {}),
  };
}

const familiesOf = (service: Service): readonly AddressType[] => {
  const families = service.spec?.ipFamilies as AddressType[] | undefined;
  return families && families.length > 0 ? families : ['IPv4'];
};

/** Pure: the endpoints that a Service has, by address type and ports. */
function groupsOf(world: SliceWorld): Map<string, EndpointGroup> {
  const { service } = world;
  const groups = new Map<string, EndpointGroup>();
  for (const pod of world.pods) {
    if (isTerminated(pod)) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && !isHeadless(service)) continue;
    for (const addressType of familiesOf(service))
      for (const address of addressesOf(pod, addressType))
        addEndpoint(groups, { addressType, ports }, address, toEndpoint(world, pod, address));
  }
  return groups;
}

/** Replaces the hints of all ready endpoints, by their zones' shares. */
function addZoneHints(
  groups: ReadonlyMap<string, EndpointGroup>,
  { service, zoneShares }: SliceWorld,
): ServiceSlices['hints'] {
  const told = new Map<AddressType, 'given' | { readonly refused: string }>();
  if (!wantsTopologyHints(service)) return told;
  for (const family of familiesOf(service)) {
    const endpoints = [...groups.values()]
      .filter(({ addressType }) => addressType === family)
      .flatMap((group) => [...group.endpoints.values()])
      .filter(({ conditions }) => conditions?.ready === true)
      .sort((a, b) => ((a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1));
    const planned = planZones(endpoints, zoneShares?.());
    if ('refused' in planned) told.set(family, planned);
    else {
      for (const [endpoint, name] of planned.zones) endpoint.hints = { forZones: [{ name }] };
      told.set(family, 'given');
    }
  }
  return told;
}

/** Pure: the changes of slices that say which pods serve the Service. */
export function planServiceSlices(world: SliceWorld): ServiceSlices {
  const { service, existing, most } = world;
  const { name = '', namespace = '' } = service.metadata;
  const owner = {
    name,
    namespace,
    labels: { ...ownLabels(service), [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER },
    reference: toControllerRef(resources.services, service),
    most,
    placeholders: familiesOf(service),
  };
  const groups = groupsOf(world);
  const hints = addZoneHints(groups, world);
  return { plan: packSlices(owner, groups, existing), hints };
}

/** The same without what is told about hints. */
export const planSlices = (world: SliceWorld): SlicePlan => planServiceSlices(world).plan;
