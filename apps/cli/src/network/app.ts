import { connect, loadKubeconfig } from '@orrery/client';
import { Flag, SystemClock, SystemRandom, createLogger, parseFlags } from '@orrery/component';
import type { ComponentApp } from '@orrery/component';
import { IsIP, IsIn, IsNotEmpty, IsString } from 'class-validator';
import { NodeNetwork } from './node-network.js';
import type { RouteMode } from './routes.js';

const NAME = 'node-network';
const split = (text: string): string[] => text.split(',').filter((part) => part !== '');

/** The flags of `orrery node-network`. */
export class NodeNetworkFlags {
  @Flag('kubeconfig of the node')
  @IsNotEmpty()
  kubeconfig = '';

  @Flag('name of the node')
  @IsNotEmpty()
  nodeName = '';

  @Flag('address of the node', 'node-ip')
  @IsIP()
  nodeIp = '';

  @Flag(
    'routed: pods have addresses of the node; host-gw, vxlan: pods are behind a bridge, other nodes behind routes or a tunnel; none: service ranges only',
  )
  @IsIn(['routed', 'host-gw', 'vxlan', 'none'])
  backend: RouteMode = 'routed';

  @Flag('ranges of the pods of all nodes, separated by commas', 'cluster-cidr')
  @IsString()
  clusterCidr = '10.244.0.0/16';

  @Flag('ranges of the services, separated by commas', 'service-cidr')
  @IsString()
  serviceCidr = '10.96.0.0/12';

  @Flag('folder that gets the CNI configuration', 'cni-conf-dir')
  @IsNotEmpty()
  cniConfDir = '/etc/cni/net.d';

  @Flag('folder in which pod addresses in use are kept')
  @IsNotEmpty()
  dataDir = '/var/lib/cni/networks';
}

/** The pod network's agent on one node, as kube-flannel is. */
export const nodeNetwork: ComponentApp = {
  name: NAME,
  async run(argv, { signal, clock = new SystemClock() }) {
    const flags = parseFlags(NodeNetworkFlags, argv, NAME);
    const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: NAME }));
    const network = new NodeNetwork({
      client,
      nodeName: flags.nodeName,
      nodeIp: flags.nodeIp,
      mode: flags.backend,
      serviceCidrs: split(flags.serviceCidr),
      clusterCidrs: split(flags.clusterCidr),
      confDir: flags.cniConfDir,
      dataDir: flags.dataDir,
      cleansUp: false,
      clock,
      random: new SystemRandom(),
      logger: createLogger({ component: NAME }),
    });
    try {
      await network.prepare();
      await network.start(signal);
    } finally {
      await client.close();
    }
  },
};
