import { join } from 'node:path';

/** Node i (from 1): its name. The first is the control plane. */
export const nodeName = (i: number): string => `k8s-${String(i).padStart(2, '0')}`;

/** The addresses of a cluster inside its block 127.C.0.0/16 (docs/architecture.md, "Addresses"). */
export interface Addresses {
  readonly block: number;
  readonly apiServer: string;
  /** With two families one range of each, separated by a comma; so are services. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Addresses of Services of type LoadBalancer, of each family as well. */
  readonly loadBalancerPool: string;
  readonly dns: string;
  /** Of the Service default/kubernetes. */
  readonly kubernetesService: string;
  node(i: number): string;
  /** The node's address of the second family, in a cluster that has both. */
  readonly node6?: (i: number) => string;
  etcdMember(i: number): string;
}

/** How pods and nodes get addresses (docs/architecture.md, "Addresses"). */
export type NetworkMode = 'loopback' | 'routed' | 'netns';

/** The addresses that a cluster had, by its settings. */
export const keptAddresses = ({
  block,
  network,
}: {
  readonly block: number;
  readonly network?: { readonly mode: NetworkMode; readonly ipFamily?: IpFamily };
}): Addresses => addressesOf(block, network?.mode, network?.ipFamily);

/** Families of pods, Services and nodes; with both the first is IPv4. */
export const IP_FAMILIES = ['ipv4', 'ipv6', 'dual'] as const;
export type IpFamily = (typeof IP_FAMILIES)[number];

/** On this host alone or in a network namespace for each node, where the usual ranges are free. */
export function addressesOf(
  block: number,
  mode: NetworkMode = 'loopback',
  family: IpFamily = 'ipv4',
): Addresses {
  if (mode === 'loopback') return onLoopback(block);
  if (family === 'ipv6') return onlyIpv6(inNamespaces(block));
  return family === 'dual' ? withIpv6(inNamespaces(block)) : inNamespaces(block);
}

/** kind's IPv6 ranges, and for nodes one of the block's own. */
const POD_CIDR6 = 'fd00:10:244::/56';
const SERVICE_CIDR6 = 'fd00:10:96::/112';
const LOAD_BALANCERS6 = 'fd00:10:112::/120';
const node6Of =
  (block: number) =>
  (i: number): string =>
    `fd00:198:18:${block.toString(16)}::${i.toString(16)}`;

const withIpv6 = (addresses: Addresses): Addresses => ({
  ...addresses,
  podCidr: `${addresses.podCidr},${POD_CIDR6}`,
  serviceCidr: `${addresses.serviceCidr},${SERVICE_CIDR6}`,
  loadBalancerPool: `${addresses.loadBalancerPool},${LOAD_BALANCERS6}`,
  node6: node6Of(addresses.block),
});

/** Nobody but the API server speaks to etcd, whose members keep their IPv4 addresses on the first node. */
const onlyIpv6 = (addresses: Addresses): Addresses => ({
  ...addresses,
  apiServer: node6Of(addresses.block)(1),
  podCidr: POD_CIDR6,
  serviceCidr: SERVICE_CIDR6,
  loadBalancerPool: LOAD_BALANCERS6,
  dns: 'fd00:10:96::a',
  kubernetesService: 'fd00:10:96::1',
  node: node6Of(addresses.block),
});

/** Of the range for measurements, RFC 2544: no network that this host is in. */
function inNamespaces(block: number): Addresses {
  const prefix = `198.18.${block}`;
  return {
    block,
    apiServer: `${prefix}.1`,
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    loadBalancerPool: '10.112.0.0/24',
    dns: '10.96.0.10',
    kubernetesService: '10.96.0.1',
    node: (i) => `${prefix}.${i}`,
    etcdMember: (i) => `${prefix}.${200 + i}`,
  };
}

function onLoopback(block: number): Addresses {
  const prefix = `127.${block}`;
  return {
    block,
    apiServer: `${prefix}.0.1`,
    podCidr: `${prefix}.64.0/18`,
    serviceCidr: `${prefix}.128.0/17`,
    loadBalancerPool: `${prefix}.48.0/24`,
    dns: `${prefix}.128.10`,
    kubernetesService: `${prefix}.128.1`,
    node: (i) => `${prefix}.0.${i}`,
    etcdMember: (i) => `${prefix}.0.${200 + i}`,
  };
}

/** C of the blocks 127.C.0.0/16 that a cluster may have. */
export const FIRST_BLOCK = 10;
export const LAST_BLOCK = 250;

/** Most nodes of one cluster: the /24s between 127.C.65 and 127.C.127. */
export const MAX_NODES = 62;

/** etcd's own advice: more than seven members make writes slow and nothing safer. */
export const MAX_ETCD_MEMBERS = 7;
/** Members have an address each behind 127.C.0.200. */
export const MAX_ETCD_NUMBER = 50;

/** Where a cluster keeps its files. */
export class ClusterFiles {
  constructor(readonly dir: string) {}

  readonly pki = (...path: string[]): string => join(this.dir, 'pki', ...path);
  readonly run = (...path: string[]): string => join(this.dir, 'run', ...path);
  readonly logs = (...path: string[]): string => join(this.dir, 'logs', ...path);
  readonly node = (name: string, ...path: string[]): string =>
    join(this.dir, 'nodes', name, ...path);
  readonly etcd = (): string => join(this.dir, 'etcd');

  get adminConf(): string {
    return join(this.dir, 'admin.conf');
  }

  get settings(): string {
    return join(this.dir, 'cluster.json');
  }

  get supervisorPid(): string {
    return this.run('orrery.pid');
  }

  get controlSocket(): string {
    return this.run('orrery.sock');
  }

  /** With `node`, of a dataplane of its own. */
  dataplaneSocket(node?: string): string {
    return this.run(node === undefined ? 'dataplane.sock' : `dataplane-${node}.sock`);
  }

  criSocket(node: string): string {
    return this.node(node, 'cri.sock');
  }

  pidFile(component: string): string {
    return this.run(`${component}.pid`);
  }
}
