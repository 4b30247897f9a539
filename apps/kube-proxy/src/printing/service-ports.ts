import type { EndpointSlice, Service, ServicePort } from '@orrery/api';
import type { Backend } from '@orrery/dataplane';
import { candidatesOf, selectBackends } from '../rules/endpoint-selection.js';
import type { ProxyPlace } from '../rules/endpoint-selection.js';
import { clusterAddresses } from '../rules/frontends.js';
import { isSkipped } from '../rules/service-rules.js';

/** One port of a service as upstream's proxiers see it (k8s pkg/proxy/types.go:ServicePort), in one family. */
export interface PrintedPort {
  /** `namespace/name:port`, as upstream's rules name it. */
  readonly name: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly clusterIP: string;
  readonly port: number;
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly balancerIPs: readonly string[];
  readonly sourceRanges: readonly string[];
  /** Seconds of session affinity; 0 = none. */
  readonly affinitySeconds: number;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly healthCheckNodePort: number;
  /** `address:port` (IPv6: `[address]:port`) of the endpoints for policy Cluster, and of those on this node. */
  readonly cluster: readonly string[];
  readonly local: readonly string[];
  /** All ready endpoints, whatever topology hints say. */
  readonly ready: readonly string[];
}

const DEFAULT_AFFINITY_SECONDS = 10_800;

const texts = (backends: readonly Pick<Backend, 'address' | 'port'>[]): string[] =>
  backends.map(({ address, port }) => hostPort(address, port));

export type Family = 'IPv4' | 'IPv6';

const familyOf = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');

/** As Go's net.JoinHostPort. */
export const hostPort = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** The address of a text that {@link hostPort} made. */
export const hostOf = (text: string): string =>
  text.slice(0, text.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');

const balancerIPs = ({ status }: Service): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== 'Proxy' ? [ip] : [],
  );

function affinitySeconds({ spec }: Service): number {
  if (spec.sessionAffinity !== 'ClientIP') return 0;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
}

function printedPort(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  { place, family }: { readonly place: ProxyPlace; readonly family: Family },
): PrintedPort[] {
  const isOurs = (address: string): boolean => familyOf(address) === family;
  const { spec, metadata } = service;
  const clusterIP = clusterAddresses(service).find(isOurs);
  if (clusterIP === undefined) return [];
  const protocol = port.protocol ?? 'TCP';
  const options = { portName: port.name ?? '', protocol, addressType: family };
  const candidates = candidatesOf(slices, options);
  const { cluster, local } = selectBackends(candidates, place);
  const isBalanced = spec.type === 'LoadBalancer';
  return [
    {
      name: `${metadata.namespace}/${metadata.name}${port.name ? `:${port.name}` : ''}`,
      protocol: protocol.toLowerCase() as PrintedPort['protocol'],
      clusterIP,
      port: port.port,
      nodePort: port.nodePort ?? 0,
      externalIPs: (spec.externalIPs ?? []).filter(isOurs),
      balancerIPs: balancerIPs(service).filter(isOurs),
      sourceRanges: (spec.loadBalancerSourceRanges ?? []).filter(isOurs),
      affinitySeconds: affinitySeconds(service),
      internalLocal: spec.internalTrafficPolicy === 'Local',
      externalLocal: spec.externalTrafficPolicy === 'Local',
      healthCheckNodePort: isBalanced ? (spec.healthCheckNodePort ?? 0) : 0,
      cluster: texts(cluster),
      local: texts(local),
      ready: texts(candidates.filter((one) => one.ready)),
    },
  ];
}

/** Every service port that a proxy programs in one family, by name. */
export function printedPorts(
  services: readonly Service[],
  slicesOf: (service: Service) => readonly EndpointSlice[],
  place: ProxyPlace,
  family: Family = 'IPv4',
): readonly PrintedPort[] {
  return services
    .filter((service) => !isSkipped(service))
    .flatMap((service) =>
      (service.spec.ports ?? []).flatMap((port) =>
        printedPort(service, port, slicesOf(service), { place, family }),
      ),
    )
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
