import type { EndpointSlice, Service, ServicePort } from '@orrery/api';
import { AddressRange } from '@orrery/dataplane';
import type { Frontend, PolicyName, Protocol, ServiceRule } from '@orrery/dataplane';
import { candidatesOf, selectBackends } from './endpoint-selection.js';
import type { HostOf, ProxyPlace, Selection } from './endpoint-selection.js';
import { clusterAddresses, familiesOf, frontendsOf } from './frontends.js';

/** What the rules of every service of a node depend on. */
export interface RuleContext extends ProxyPlace {
  /** Addresses on which node ports answer. */
  readonly nodePortAddresses: readonly string[];
  /** Addresses of this node: the only ones at which externalIPs are served. */
  readonly ownedAddresses: ReadonlySet<string>;
  readonly policy: PolicyName;
  /** Addresses and CIDRs of clients that are pods or this node: externalTrafficPolicy Local does not bind them. */
  readonly localSources: readonly string[];
  /** Idle time of UDP sessions; absent = the dataplane's. */
  readonly udpIdleMs?: number;
  /** What is known to be at addresses of nodes; absent = nothing. */
  readonly hostOf?: HostOf;
}

/** Most connections that may be open to a service port at once; ours. */
export const MAX_CONNECTIONS = 'orrery.dev/max-connections';

const DEFAULT_AFFINITY_SECONDS = 10_800;

/** Services that this proxy leaves alone (k8s pkg/proxy/util/utils.go:ShouldSkipService). */
export const isSkipped = (service: Service): boolean =>
  service.spec.type === 'ExternalName' || clusterAddresses(service).length === 0;

function affinityMs(service: Service): number {
  if (service.spec.sessionAffinity !== 'ClientIP') return 0;
  const seconds = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return (seconds ?? DEFAULT_AFFINITY_SECONDS) * 1_000;
}

function maxConnections(service: Service): number | undefined {
  const text = service.metadata.annotations?.[MAX_CONNECTIONS] ?? '';
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

const portId = ({ metadata: { namespace = '', name = '' } }: Service, port: ServicePort): string =>
  `${namespace}/${name}${port.name ? `:${port.name}` : ''}`;

const isRelayed = (protocol: string): protocol is Protocol =>
  protocol === 'TCP' || protocol === 'UDP';

/** What every rule of a service port has in common. */
function portRule(
  service: Service,
  protocol: Protocol,
  context: RuleContext,
): Omit<ServiceRule, 'id' | 'frontends' | 'backends'> {
  const limit = maxConnections(service);
  return {
    protocol,
    policy: context.policy,
    affinityMs: affinityMs(service),
    ...(limit === undefined ? {} : { maxConnections: limit }),
    ...(context.udpIdleMs !== undefined && protocol === 'UDP'
      ? { udpIdleMs: context.udpIdleMs }
      : {}),
  };
}

function portRules(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): ServiceRule[] {
  const { spec } = service;
  const protocol = port.protocol ?? 'TCP';
  if (!isRelayed(protocol)) return [];
  const shared = portRule(service, protocol, context);
  const sources = spec.loadBalancerSourceRanges ?? [];
  return familiesOf(service).flatMap((family) => {
    const { hostOf } = context;
    const options = { portName: port.name ?? '', protocol, addressType: family, hostOf };
    const selection = selectBackends(candidatesOf(slices, options), context);
    const { cluster, external, loadBalancer } = frontendsOf(service, port, { family, context });
    const id = `${portId(service, port)}${family === 'IPv6' ? ' IPv6' : ''}`;
    const rule = (suffix: string, frontends: readonly Frontend[], chosen: Chosen): ServiceRule[] =>
      frontends.length === 0 ? [] : [{ ...shared, id: `${id}${suffix}`, frontends, ...chosen }];
    const outside = fromOutside(selection, spec.externalTrafficPolicy, context);
    return [
      ...rule('', cluster, fromInside(selection, spec.internalTrafficPolicy)),
      ...(sources.length === 0
        ? rule(' external', [...external, ...loadBalancer], outside)
        : [
            ...rule(' external', external, outside),
            ...rule(' loadBalancer', loadBalancer, outside).map((one) => ({
              ...one,
              allowedSources: allowedSources(sources, loadBalancer, context),
            })),
          ]),
    ];
  });
}

/**
 * The node's own connections to a balancer's address come from that address: it is let in where the node is
 * (k8s pkg/proxy/iptables/proxier.go, allowFromNode).
 */
function allowedSources(
  ranges: readonly string[],
  frontends: readonly Frontend[],
  { ownedAddresses }: RuleContext,
): readonly string[] {
  const parsed = ranges.flatMap((text) => AddressRange.parse(text) ?? []);
  const isNodeIn = [...ownedAddresses].some((own) => parsed.some((range) => range.contains(own)));
  return isNodeIn ? [...ranges, ...frontends.map(({ address }) => address)] : ranges;
}

type Chosen = Pick<ServiceRule, 'backends' | 'inside'>;

const fromInside = ({ cluster, local }: Selection, policy = 'Cluster'): Chosen => ({
  backends: policy === 'Local' ? local : cluster,
});

/**
 * With policy Local pods and the node itself still reach every endpoint (k8s pkg/proxy/iptables/proxier.go, the rules of
 * KUBE-EXT); in mode ipvs only where the node has none (k8s pkg/proxy/ipvs/proxier.go:syncEndpoint).
 */
function fromOutside(
  { cluster, local }: Selection,
  policy: string | undefined,
  { localSources, policy: scheduler }: RuleContext,
): Chosen {
  if (policy !== 'Local') return { backends: cluster };
  const isIpvs = scheduler !== 'random';
  const backends = isIpvs && local.length > 0 ? local : cluster;
  return { backends: local, inside: { sources: localSources, backends } };
}

/** What the addresses and ports of one service should do on this node. Pure. */
export function serviceRules(
  service: Service,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): readonly ServiceRule[] {
  if (isSkipped(service)) return [];
  return (service.spec.ports ?? []).flatMap((port) => portRules(service, port, slices, context));
}

/** The policies Local of a service by which this node serves nothing, though there are endpoints elsewhere. */
export function withoutLocalEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): readonly { family: 'IPv4' | 'IPv6'; policy: 'internal' | 'external' }[] {
  const { internalTrafficPolicy, externalTrafficPolicy, ports = [] } = service.spec;
  const policies = [
    ...(internalTrafficPolicy === 'Local' ? (['internal'] as const) : []),
    ...(externalTrafficPolicy === 'Local' ? (['external'] as const) : []),
  ];
  if (policies.length === 0 || isSkipped(service)) return [];
  return familiesOf(service).flatMap((family) => {
    const isBare = ports.some(({ name = '', protocol = 'TCP' }) => {
      const options = { portName: name, protocol, addressType: family };
      const { cluster, local } = selectBackends(candidatesOf(slices, options), context);
      return cluster.length > 0 && local.length === 0;
    });
    return isBare ? policies.map((policy) => ({ family, policy })) : [];
  });
}

/** Endpoints of this node behind any port of a service, each address once: what its health check node port answers. */
export function localEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
  context: RuleContext,
): number {
  const addresses = familiesOf(service).flatMap((addressType) =>
    (service.spec.ports ?? []).flatMap(({ name: portName = '', protocol = 'TCP' }) => {
      const candidates = candidatesOf(slices, { portName, protocol, addressType });
      return selectBackends(candidates, context).localReady;
    }),
  );
  return new Set(addresses).size;
}
