import { insideNetns, machineNetns } from '@orrery/network';
import type { Lan } from '@orrery/network';
import type { ProcessSpec } from '../supervisor/managed-process.js';
import { MAX_ETCD_NUMBER, nodeName } from './layout.js';
import type { IpFamily, NetworkMode } from './layout.js';
import type { Instance, PlanInput } from './plan.js';

export type NetworkBackend = 'host-gw' | 'vxlan' | 'none';

/** A network in which each node is a network namespace of this host. */
export interface NamespacedNetwork {
  readonly mode: Exclude<NetworkMode, 'loopback'>;
  /** How nodes reach each other's pods in `netns`; `none`: the user brings a CNI configuration. */
  readonly backend: NetworkBackend;
  /** Absent: ipv4. */
  readonly ipFamily?: IpFamily;
}

/** The component that keeps a node's part of the pod network. */
export const NODE_NETWORK = 'node-network';
/** Where Debian's containernetworking-plugins are, beside upstream's place. */
const BIN_DIRS = '/opt/cni/bin,/usr/lib/cni';
const HOST_NUMBER = 254;

type Located = Pick<PlanInput, 'addresses'>;

const prefixOf = ({ addresses }: Located): string => `orrery-${addresses.block}-`;

/** What the cluster adds to this host, by which it can be removed again. */
export const lanNames = (input: Located): Pick<Lan, 'prefix' | 'link'> => ({
  prefix: prefixOf(input),
  link: `orrery${input.addresses.block}`,
});

const onLan = (address: string): string => `${address}/${address.includes(':') ? 64 : 24}`;

/** Number 254 is this host. */
const nodeAddresses = ({ addresses }: Located, i: number): string[] =>
  [addresses.node(i), ...(addresses.node6 ? [addresses.node6(i)] : [])].map(onLan);

/** The machines of the cluster: its nodes, of which the first has etcd's addresses as well. */
export function lanOf(input: PlanInput): Lan {
  const { addresses, nodes } = input;
  const most = Math.max(...(input.etcdNumbers ?? [input.etcdMembers]));
  const members = Array.from({ length: Math.min(most + 9, MAX_ETCD_NUMBER) }, (_, i) =>
    addresses.etcdMember(i + 1),
  );
  // Where nodes have IPv6 alone, etcd's addresses are what is left of the other network.
  const onlyIpv6 = addresses.node(1).includes(':');
  const hostToEtcd = onlyIpv6 ? [onLan(addresses.etcdMember(HOST_NUMBER - 200))] : [];
  return {
    ...lanNames(input),
    hostAddresses: [...nodeAddresses(input, HOST_NUMBER), ...hostToEtcd],
    machines: Array.from({ length: nodes }, (_, i) => ({
      name: nodeName(i + 1),
      addresses: [
        ...nodeAddresses(input, i + 1),
        ...(i === 0 ? members.map((address) => (onlyIpv6 ? onLan(address) : `${address}/32`)) : []),
      ],
    })),
  };
}

/** The path by which a process joins the network of a node. */
export const nodeNetns = (input: Located, node: string): string =>
  `/run/netns/${machineNetns({ prefix: prefixOf(input) }, node)}`;

/** The same process in the network of a node. */
export function withinNode(
  input: PlanInput,
  node: string | undefined,
  spec: ProcessSpec,
): ProcessSpec {
  if (!input.network || node === undefined) return spec;
  const { file, args } = insideNetns(nodeNetns(input, node), spec.command, spec.args);
  return { ...spec, command: file, args };
}

export function runtimeNetworkFlags(input: PlanInput, i: number): readonly string[] {
  const { network, files } = input;
  if (!network) return [];
  const node = nodeName(i);
  return [
    `--network=${network.mode}`,
    `--cni-conf-dir=${files.node(node, 'cni', 'net.d')}`,
    `--cni-bin-dir=${BIN_DIRS}`,
    `--netns-prefix=${prefixOf(input)}pod-`,
  ];
}

/** The agent of node `i`. */
export function nodeNetwork(
  input: PlanInput,
  i: number,
  backend: 'routed' | NetworkBackend,
): Instance {
  const { files, addresses } = input;
  const node = nodeName(i);
  return {
    name: `${NODE_NETWORK}-${node}`,
    app: NODE_NETWORK,
    args: [
      `--kubeconfig=${files.node(node, 'kubelet.conf')}`,
      `--node-name=${node}`,
      `--node-ip=${addresses.node(i)}`,
      `--backend=${backend}`,
      `--cluster-cidr=${addresses.podCidr}`,
      `--service-cidr=${addresses.serviceCidr},${addresses.loadBalancerPool}`,
      `--cni-conf-dir=${files.node(node, 'cni', 'net.d')}`,
      `--data-dir=${files.node(node, 'cni', 'networks')}`,
    ],
  };
}
