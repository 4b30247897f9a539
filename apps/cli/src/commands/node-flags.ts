import { hostname, networkInterfaces } from 'node:os';
import { ConfigError, Flag } from '@orrery/component';
import type { NetworkBackend } from '../cluster/node-namespaces.js';
import { IsIP, IsIn, IsNotEmpty, IsOptional, IsString, Matches } from 'class-validator';

const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;

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

  @Flag('address of this node (default: the first that others can reach)', 'node-ip')
  @IsOptional()
  @IsIP(4)
  nodeIp?: string = undefined;

  @Flag('range of the pods of all nodes', 'cluster-cidr')
  @Matches(CIDR)
  clusterCidr = '10.244.0.0/16';

  @Flag('range of the services', 'service-cidr')
  @Matches(CIDR)
  serviceCidr = '10.96.0.0/12';

  @Flag('address of the cluster DNS', 'cluster-dns')
  @IsIP(4)
  clusterDns = '10.96.0.10';

  @Flag('further flags of a component: COMPONENT.FLAG=VALUE, repeated', 'extra-arg')
  @Matches(/^(kubelet|container-runtime|dataplane)\.[a-z0-9-]+(=.*)?$/, { each: true })
  extraArg: string[] = [];
}

/** The address of this node and the range around it, whose hosts may be backends of services. */
export function hostAddress(asked: string | undefined): { address: string; cidr: string } {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(
    ({ family, internal, address }) =>
      family === 'IPv4' && (asked === undefined ? !internal : address === asked),
  );
  if (found?.cidr) return { address: found.address, cidr: found.cidr };
  throw new ConfigError(
    asked === undefined
      ? 'this machine has no address that others can reach; name one with --node-ip'
      : `--node-ip ${asked}: this machine does not have that address`,
  );
}
