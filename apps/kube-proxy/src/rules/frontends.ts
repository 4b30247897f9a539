import { isIPv6 } from 'node:net';
import type { Service, ServicePort } from '@orrery/api';
import type { Frontend, FrontendKind } from '@orrery/dataplane';
import type { RuleContext } from './service-rules.js';

type Family = 'IPv4' | 'IPv6';

const familyOf = (address: string): Family => (isIPv6(address) ? 'IPv6' : 'IPv4');

const at = (addresses: readonly string[], port: number, kind: FrontendKind): Frontend[] =>
  addresses.map((address) => ({ address, port, kind }));

/** The addresses of a service of one family, by what they are for. */
export interface ServiceFrontends {
  readonly cluster: readonly Frontend[];
  /** Node ports and external addresses. */
  readonly external: readonly Frontend[];
  readonly loadBalancer: readonly Frontend[];
}

/** Cluster addresses of a service; none for a headless one. */
export const clusterAddresses = ({
  spec: { clusterIP, clusterIPs },
}: Service): readonly string[] =>
  !clusterIP || clusterIP === 'None' ? [] : (clusterIPs ?? [clusterIP]);

/** External addresses that this host owns: any other would let a service catch traffic of others (CVE-2020-8554). */
export const ownedExternalIps = ({ spec }: Service, owned: ReadonlySet<string>): string[] =>
  (spec.externalIPs ?? []).filter((address) => owned.has(address));

/** Addresses that a load balancer handed out for the proxies to answer on; `ipMode: Proxy` answers elsewhere. */
const balancerAddresses = ({ status }: Service): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== 'Proxy' ? [ip] : [],
  );

/** The families in which a service has a cluster address. */
export const familiesOf = (service: Service): readonly Family[] => [
  ...new Set(clusterAddresses(service).map(familyOf)),
];

/** Where one port of a service answers, in one family. */
export function frontendsOf(
  service: Service,
  port: ServicePort,
  { family, context }: { readonly family: Family; readonly context: RuleContext },
): ServiceFrontends {
  const ours = (addresses: readonly string[]): string[] =>
    addresses.filter((address) => familyOf(address) === family);
  const nodePort = port.nodePort ?? 0;
  return {
    cluster: at(ours(clusterAddresses(service)), port.port, 'clusterIP'),
    external: [
      ...(nodePort > 0 ? at(ours(context.nodePortAddresses), nodePort, 'nodePort') : []),
      ...at(ours(ownedExternalIps(service, context.ownedAddresses)), port.port, 'externalIP'),
    ],
    loadBalancer: at(ours(balancerAddresses(service)), port.port, 'loadBalancer'),
  };
}
