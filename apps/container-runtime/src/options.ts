import { basename, dirname } from 'node:path';
import { Flag } from '@orrery/component';
import { IsIP, IsInt, IsNotEmpty, IsString, Matches, Max, Min } from 'class-validator';

/** The flags of container-runtime. */
export class RuntimeOptions {
  @Flag('Socket of the CRI server')
  @Matches(/^unix:\/\/\//, { message: 'listen must be a socket such as unix:///run/cri.sock' })
  listen = '';

  @Flag('Folder of everything that is kept')
  @IsNotEmpty()
  root = '';

  @Flag("The node's address, for pods on the host network and the streaming server")
  @IsIP(4)
  nodeIp = '127.0.0.1';

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
}

/** The name that programs show for this node. */
export function nodeNameOf(options: RuntimeOptions): string {
  return options.nodeName || basename(dirname(options.root)) || options.nodeIp;
}
