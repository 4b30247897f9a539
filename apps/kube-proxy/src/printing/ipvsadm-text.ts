import { hostPort } from './service-ports.js';
import type { PrintedPort } from './service-ports.js';

/** What the virtual servers depend on beside services. */
export interface IpvsPrintOptions {
  readonly scheduler: string;
  /** Addresses on which node ports answer. */
  readonly nodeAddresses: readonly string[];
  /** Open connections by `address:port` of the endpoint, where they are known. */
  readonly active?: (server: string, endpoint: string) => number;
}

interface VirtualServer {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly affinitySeconds: number;
  readonly endpoints: readonly string[];
}

const HEAD = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
`;

function serversOf(port: PrintedPort, { nodeAddresses }: IpvsPrintOptions): VirtualServer[] {
  const internal = port.internalLocal ? port.local : port.cluster;
  // Where the node has none, pods still reach the others (k8s pkg/proxy/ipvs/proxier.go:syncEndpoint).
  const external = port.externalLocal && port.local.length > 0 ? port.local : port.cluster;
  const server = (address: string, at: number, endpoints: readonly string[]): VirtualServer => ({
    protocol: port.protocol.toUpperCase(),
    address,
    port: at,
    affinitySeconds: port.affinitySeconds,
    endpoints,
  });
  return [
    server(port.clusterIP, port.port, internal),
    ...[...port.externalIPs, ...port.balancerIPs].map((ip) => server(ip, port.port, external)),
    ...(port.nodePort > 0
      ? nodeAddresses
          .filter((address) => isV6(address) === isV6(port.clusterIP))
          .map((address) => server(address, port.nodePort, external))
      : []),
  ];
}

const isV6 = (address: string): boolean => address.includes(':');

/** A text that sorts as the address's bytes do, IPv4 first. */
function sortKey(address: string): string {
  if (!isV6(address))
    return `4${address
      .split('.')
      .map((part) => part.padStart(3, '0'))
      .join('')}`;
  const [head = '', tail] = address.split('::');
  const groups = (text = ''): string[] => text.split(':').filter((group) => group !== '');
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return `6${[...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join('')}`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By the numbers of IP, as ipvsadm sorts. */
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];

/** By family, protocol, address and port (ipvsadm libipvs/libipvs.c:ipvs_cmp_services). */
const inOrder = (a: VirtualServer, b: VirtualServer): number =>
  Number(isV6(a.address)) - Number(isV6(b.address)) ||
  PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) ||
  compare(sortKey(a.address), sortKey(b.address)) ||
  a.port - b.port;

/** What `ipvsadm -Ln` would show of the virtual servers that upstream's ipvs proxier had programmed. */
export function ipvsadm(ports: readonly PrintedPort[], options: IpvsPrintOptions): string {
  const servers = ports.flatMap((port) => serversOf(port, options)).sort(inOrder);
  // The one flag of a scheduler that kube-proxy sets (k8s pkg/proxy/ipvs/proxier.go, FlagSourceHash).
  const scheduler = options.scheduler === 'mh' ? 'mh (mh-port)' : options.scheduler;
  const lines = servers.flatMap(({ protocol, address, port, affinitySeconds, endpoints }) => {
    const flags = affinitySeconds > 0 ? ` persistent ${affinitySeconds}` : '';
    const active = (one: string): number => options.active?.(hostPort(address, port), one) ?? 0;
    return [
      `${protocol.padEnd(4)} ${hostPort(address, port)} ${scheduler}${flags}`,
      ...endpoints.map(
        (one) =>
          `  -> ${one.padEnd(28)} Masq    1      ${String(active(one)).padEnd(10)} 0         `,
      ),
    ];
  });
  return `${HEAD}${lines.map((line) => `${line}\n`).join('')}`;
}
