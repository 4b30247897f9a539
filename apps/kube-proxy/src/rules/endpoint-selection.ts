import type { Endpoint, EndpointSlice } from '@orrery/api';
import type { Backend, HostBackend } from '@orrery/dataplane';
import { backendKey } from '@orrery/dataplane';

export interface SelectionOptions {
  /** Name of the service port; slices carry the pod's port under it. */
  readonly portName: string;
  readonly protocol: string;
  readonly addressType: 'IPv4' | 'IPv6';
  readonly hostOf?: HostOf | undefined;
}

/** An address of an endpoint, with what is said about it. */
export interface NamedEndpoint {
  readonly slice: EndpointSlice;
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

/** What is known to be at an endpoint that may lie at a node's address; undefined when nothing is. */
export type HostOf = (named: NamedEndpoint) => HostBackend | undefined;

/** Where this proxy runs. */
export interface ProxyPlace {
  readonly nodeName: string;
  /** Label topology.kubernetes.io/zone of the node; empty when it has none. */
  readonly zone: string;
}

/** An endpoint of one service port, as a proxy sees it. */
export interface Candidate extends Backend {
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** What a policy `Cluster` and a policy `Local` choose from. */
export interface Selection {
  readonly cluster: readonly Backend[];
  readonly local: readonly Backend[];
  /** Addresses of the endpoints of this node that are ready: what the health check node port counts. */
  readonly localReady: readonly string[];
}

const hostField = (host: HostBackend | undefined): Pick<Backend, 'host'> => (host ? { host } : {});

function toCandidates(
  slice: EndpointSlice,
  endpoint: Endpoint,
  { port, protocol, hostOf }: { port: number; protocol: string; hostOf?: HostOf | undefined },
): Candidate[] {
  const { addresses, conditions = {}, hints, nodeName } = endpoint;
  return addresses.map((address): Candidate => ({
    address,
    port,
    weight: 1,
    ...hostField(hostOf?.({ slice, endpoint, address, port, protocol })),
    nodeName,
    // publishNotReadyAddresses: the slice says ready even of those that are not, or that terminate.
    ready: conditions.ready !== false,
    serving: conditions.serving ?? conditions.ready !== false,
    terminating: conditions.terminating === true,
    zoneHints: (hints?.forZones ?? []).map((zone) => zone.name),
    nodeHints: (hints?.forNodes ?? []).map((node) => node.name),
  }));
}

const byAddress = (a: Backend, b: Backend): number => {
  const left = backendKey(a);
  const right = backendKey(b);
  return left < right ? -1 : left > right ? 1 : 0;
};

/** The endpoints of one service port, each address once, in a stable order. */
export function candidatesOf(
  slices: readonly EndpointSlice[],
  { portName, protocol, addressType, hostOf }: SelectionOptions,
): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue;
    const port = slice.ports?.find(
      (p) => (p.name ?? '') === portName && (p.protocol ?? 'TCP') === protocol,
    )?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? [])
      for (const candidate of toCandidates(slice, endpoint, { port, protocol, hostOf }))
        found.set(backendKey(candidate), candidate);
  }
  return [...found.values()].sort(byAddress);
}

/**
 * Hints are obeyed when every ready endpoint has them and one of them is for this place, nodes before zones
 * (k8s pkg/proxy/topology.go:topologyModeFromHints).
 */
function hinted(ready: readonly Candidate[], { nodeName, zone }: ProxyPlace): readonly Candidate[] {
  const forNode = ready.filter((one) => one.nodeHints.includes(nodeName));
  if (forNode.length > 0 && ready.every((one) => one.nodeHints.length > 0)) return forNode;
  const forZone = ready.filter((one) => one.zoneHints.includes(zone));
  if (forZone.length > 0 && ready.every((one) => one.zoneHints.length > 0)) return forZone;
  return ready;
}

const toBackends = (candidates: readonly Candidate[]): readonly Backend[] =>
  candidates.map(({ address, port, weight, host }) => ({
    address,
    port,
    weight,
    ...hostField(host),
  }));

/** The ready ones; when there is none, those that terminate and still serve. */
const orLastResort = (
  ready: readonly Candidate[],
  all: readonly Candidate[],
): readonly Candidate[] =>
  ready.length > 0 ? ready : all.filter((one) => one.serving && one.terminating);

/** The endpoints that may be chosen now (k8s pkg/proxy/topology.go:CategorizeEndpoints). */
export function selectBackends(all: readonly Candidate[], place: ProxyPlace): Selection {
  const ready = all.filter((one) => one.ready);
  const onNode = all.filter((one) => one.nodeName === place.nodeName);
  const readyOnNode = onNode.filter((one) => one.ready);
  return {
    cluster: toBackends(orLastResort(hinted(ready, place), all)),
    local: toBackends(orLastResort(readyOnNode, onNode)),
    localReady: readyOnNode.map(({ address }) => address),
  };
}
