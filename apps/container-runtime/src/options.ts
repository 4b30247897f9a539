import { basename, dirname } from 'node:path';
import { Flag } from '@orrery/component';
import {
  IsIP,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';

/** The flags of container-runtime. */
export class RuntimeOptions {
  @Flag(
    "Where pods get addresses: loopback, routed (this host's own addresses) or netns (namespaces by CNI plugins)",
  )
  @IsIn(['loopback', 'routed', 'netns'])
  network = 'loopback';

  @Flag('Folder of CNI network configurations (netns)', 'cni-conf-dir')
  @IsNotEmpty()
  cniConfDir = '/etc/cni/net.d';

  @Flag(
    'Folders of CNI plugins, separated by commas; the first that has one wins (netns)',
    'cni-bin-dir',
  )
  @IsNotEmpty()
  cniBinDir = '/opt/cni/bin';

  @Flag('How the names of network namespaces of pods begin (netns)')
  @Matches(/^[a-z0-9][a-z0-9-]*-$/)
  netnsPrefix = 'cni-';

  @Flag('Folder of what CNI plugins answered (netns; default: below --root)', 'cni-cache-dir')
  @IsString()
  cniCacheDir = '';

  @Flag('Socket of the CRI server')
  @Matches(/^unix:\/\/\//, { message: 'listen must be a socket such as unix:///run/cri.sock' })
  listen = '';

  @Flag('Folder of everything that is kept')
  @IsNotEmpty()
  root = '';

  @Flag("The node's address, for pods on the host network and the streaming server")
  @IsIP()
  nodeIp = '127.0.0.1';

  @Flag("The node's address of the other family: host ports answer there as well", 'node-ip-2')
  @IsOptional()
  @IsIP()
  secondNodeIp?: string = undefined;

  @Flag("The node's name, shown by built-in programs (default: the folder that holds --root)")
  @IsString()
  nodeName = '';

  @Flag('Address of the streaming server (default: --node-ip)')
  @IsString()
  streamAddress = '';

  @Flag('Port of the streaming server; 0 = any')
  @IsInt()
  @Min(0)
  @Max(65535)
  streamPort = 0;

  @Flag("Folder of Orrery's own programs, for images such as kube-proxy")
  @IsString()
  componentDir = '';

  @Flag('Cluster folder whose processes static pods adopt')
  @IsString()
  adoptDir = '';

  @Flag('Folder with further image rules (*.yaml)')
  @IsString()
  catalog = '';

  @Flag('kubeconfig with which ImageRules of the cluster are read (default: none are)')
  @IsString()
  kubeconfig = '';
}

/** The name that programs show for this node. */
export function nodeNameOf(options: RuntimeOptions): string {
  return options.nodeName || basename(dirname(options.root)) || options.nodeIp;
}
