import { isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { ConfigError, Flag } from '@orrery/component';
import type { NetworkBackend } from '../cluster/node-namespaces.js';
import { IsIP, IsIn, IsNotEmpty, IsOptional, IsString, Matches } from 'class-validator';

const CIDR4 = String.raw`\d{1,3}(\.\d{1,3}){3}\/\d{1,2}`;
const CIDR6 = String.raw`[0-9a-fA-F:]*:[0-9a-fA-F:]*\/\d{1,3}`;
/** One range, or one of each family. */
const CIDRS = new RegExp(`^(${CIDR4}|${CIDR6})(,(${CIDR4}|${CIDR6}))?$`);

/** Where `orrery node` has its dataplane listen unless told otherwise. */
export const DATAPLANE_SOCKET = '/run/orrery/dataplane.sock';

/** The flags of `orrery node`. */
export class NodeFlags {
  @Flag('name of this node (default: the host name)')
  @IsString()
  name = hostname();

  @Flag(
    'Compose service that this container is one of: container N is the node SERVICE-N, below --root-dir as well',
  )
  @IsOptional()
  @Matches(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  service?: string = undefined;

  @Flag(
    'how pods get addresses: routed = as local routes (needs NET_ADMIN), netns = a network namespace each, by CNI plugins (needs root with SYS_ADMIN as well)',
  )
  @IsIn(['routed', 'netns'])
  network: 'routed' | 'netns' = 'routed';

  @Flag(
    "netns: how nodes reach each other's pods; none: by a CNI configuration that you put into --cni-conf-dir",
    'network-backend',
  )
  @IsIn(['vxlan', 'host-gw', 'none'])
  networkBackend: NetworkBackend = 'vxlan';

  @Flag('folder of CNI configurations', 'cni-conf-dir')
  @IsNotEmpty()
  cniConfDir = '/etc/cni/net.d';

  @Flag('folders of CNI plugins, separated by commas', 'cni-bin-dir')
  @IsNotEmpty()
  cniBinDir = '/opt/cni/bin,/usr/lib/cni';

  @Flag('folder with kubelet.conf and pki/ of this node, as orrery init-cluster writes it')
  @IsOptional()
  @IsString()
  credentials?: string = undefined;

  @Flag(
    'instead of --credentials: kubeconfig with a bootstrap token, with which this node joins the cluster',
    'bootstrap-kubeconfig',
  )
  @IsOptional()
  @IsString()
  bootstrapKubeconfig?: string = undefined;

  @Flag('folder for what kubelet and container runtime keep')
  @IsNotEmpty()
  rootDir = '/var/lib/orrery';

  @Flag('socket of the dataplane')
  @Matches(/^\//)
  dataplaneSocket = DATAPLANE_SOCKET;

  @Flag(
    'address of this node, with two families one of each, separated by a comma (default: the first that others can reach)',
    'node-ip',
  )
  @IsIP(undefined, { each: true })
  nodeIp: string[] = [];

  @Flag('range of the pods of all nodes, with two families one of each', 'cluster-cidr')
  @Matches(CIDRS)
  clusterCidr = '10.244.0.0/16';

  @Flag('range of the services, with two families one of each', 'service-cidr')
  @Matches(CIDRS)
  serviceCidr = '10.96.0.0/12';

  @Flag('address of the cluster DNS', 'cluster-dns')
  @IsIP()
  clusterDns = '10.96.0.10';

  @Flag('further flags of a component: COMPONENT.FLAG=VALUE, repeated', 'extra-arg', 'whole')
  @Matches(/^(kubelet|container-runtime|dataplane)\.[a-z0-9-]+(=.*)?$/, { each: true })
  extraArg: string[] = [];
}

/** An address of this node and the range around it, whose hosts may be backends of services. */
export interface HostAddress {
  readonly address: string;
  readonly cidr: string;
}

/** The addresses that are asked for, else the first IPv4 one that others can reach. Throws ConfigError for what is not there. */
export function hostAddresses(
  asked: readonly string[],
): readonly [HostAddress, ...(readonly HostAddress[])] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = (address: string): HostAddress => {
    const { cidr } = all.find((one) => one.address === address) ?? {};
    if (cidr) return { address, cidr };
    throw new ConfigError(`--node-ip ${address}: this machine does not have that address`);
  };
  const [first, second, ...more] = asked;
  if (more.length > 0 || (second !== undefined && isIPv6(second) === isIPv6(first ?? '')))
    throw new ConfigError('--node-ip: at most one address of each family');
  if (first !== undefined) return [found(first), ...(second === undefined ? [] : [found(second)])];
  const own = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (own) return [found(own.address)];
  throw new ConfigError(
    'this machine has no address that others can reach; name one with --node-ip',
  );
}
