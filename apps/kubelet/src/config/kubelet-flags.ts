import { Flag, IsDuration } from '@orrery/component';
import { IsIP, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

/** Flags by upstream's names; a field of KubeletConfiguration is overridden by its flag. */
export class KubeletFlags {
  @Flag('kubeconfig of the API server; without it only static pods run')
  @IsOptional()
  @IsString()
  kubeconfig?: string;

  @Flag(
    'kubeconfig with a bootstrap token: with it the certificate in --kubeconfig is asked for when there is none',
  )
  @IsOptional()
  @IsString()
  bootstrapKubeconfig?: string;

  @Flag(
    'folder of certificates that this kubelet asks for or makes; a serving one is made when none is given',
  )
  @IsOptional()
  @IsString()
  certDir?: string;

  @Flag('KubeletConfiguration file')
  @IsOptional()
  @IsString()
  config?: string;

  @Flag('name of this node; default the host name')
  @IsOptional()
  @Matches(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
  hostnameOverride?: string;

  @Flag('address of this node', 'node-ip')
  @IsIP()
  nodeIp = '127.0.0.1';

  @Flag('folder of pods and volumes')
  @IsString()
  rootDir = '/var/lib/kubelet';

  @Flag('CRI socket')
  @Matches(/^unix:\/\/\/.+/)
  containerRuntimeEndpoint = 'unix:///run/orrery/cri.sock';

  @Flag('folder of static pod manifests')
  @IsOptional()
  @IsString()
  podManifestPath?: string;

  @Flag('folder of container logs; default <root-dir>/pod-logs')
  @IsOptional()
  @IsString()
  podLogsDir?: string;

  @Flag('taints of the node when it registers: key=value:Effect')
  @Matches(/^[^:=]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/, { each: true })
  registerWithTaints: string[] = [];

  @Flag('labels of the node: key=value')
  @Matches(/^[^=]+=.*$/, { each: true })
  nodeLabels: string[] = [];

  @Flag('addresses of the cluster DNS', 'cluster-dns')
  @IsIP(undefined, { each: true })
  clusterDns: string[] = [];

  @Flag('domain of the cluster')
  @IsString()
  clusterDomain = 'cluster.local';

  @Flag('address to serve on; default the node ip')
  @IsOptional()
  @IsIP()
  address?: string;

  @Flag('port to serve on')
  @IsInt()
  @Min(1)
  @Max(65_535)
  port = 10_250;

  @Flag('serving certificate; without it and --cert-dir the server is not started')
  @IsOptional()
  @IsString()
  tlsCertFile?: string;

  @Flag('key of the serving certificate')
  @IsOptional()
  @IsString()
  tlsPrivateKeyFile?: string;

  @Flag('authority of client certificates')
  @IsOptional()
  @IsString()
  clientCaFile?: string;

  @Flag('how often the node status is computed')
  @IsDuration()
  nodeStatusUpdateFrequency = '10s';

  @Flag('validity of the node Lease in seconds; it is renewed four times in that time')
  @IsInt()
  @Min(1)
  nodeLeaseDurationSeconds = 40;

  @Flag('most pods on this node')
  @IsInt()
  @Min(1)
  maxPods = 110;
}
