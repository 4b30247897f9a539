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

  @Flag('address of this node, or one of each family: the first is its own', 'node-ip')
  @IsIP(undefined, { each: true })
  nodeIp: string[] = ['127.0.0.1'];

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

  @Flag('folder of log files of this machine, which /logs/ serves')
  @IsString()
  systemLogsDir = '/var/log';

  @Flag('taints of the node when it registers: key=value:Effect')
  @Matches(/^[^:=]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/, { each: true })
  registerWithTaints: string[] = [];

  @Flag('labels of the node: key=value')
  @Matches(/^[^=]+=.*$/, { each: true })
  nodeLabels: string[] = [];

  @Flag('annotations of the node: key=value')
  @Matches(/^[^=]+=/, { each: true })
  nodeAnnotations: string[] = [];

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

  @Flag('address of the health server; default the address to serve on')
  @IsOptional()
  @IsIP()
  healthzBindAddress?: string;

  @Flag('port of the health server, 0 = none')
  @IsInt()
  @Min(0)
  @Max(65_535)
  healthzPort = 10_248;

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

  @Flag(
    'settings of the kernel, or prefixes with *, that pods may change although they are not safe',
    'allowed-unsafe-sysctls',
  )
  @IsOptional()
  @IsString()
  allowedUnsafeSysctls?: string;

  @Flag('hard eviction thresholds: memory.available<100Mi,nodefs.available<10%')
  @IsOptional()
  @IsString()
  evictionHard?: string;

  @Flag('soft eviction thresholds')
  @IsOptional()
  @IsString()
  evictionSoft?: string;

  @Flag('how long a soft threshold must be met: memory.available=30s')
  @IsOptional()
  @IsString()
  evictionSoftGracePeriod?: string;

  @Flag('what an eviction frees at least: memory.available=50Mi')
  @IsOptional()
  @IsString()
  evictionMinimumReclaim?: string;

  @Flag('how long a pressure condition stays after its cause has gone')
  @IsOptional()
  @IsDuration()
  evictionPressureTransitionPeriod?: string;

  @Flag('most seconds that a pod gets when a soft threshold evicts it')
  @IsOptional()
  @Matches(/^\d{1,3}$/)
  evictionMaxPodGracePeriod?: string;

  @Flag('percent of the disk at which images are collected', 'image-gc-high-threshold')
  @IsOptional()
  @Matches(/^\d{1,3}$/)
  imageGcHighThreshold?: string;

  @Flag('percent of the disk down to which images are collected', 'image-gc-low-threshold')
  @IsOptional()
  @Matches(/^\d{1,3}$/)
  imageGcLowThreshold?: string;

  @Flag('size at which the log of a container is rotated')
  @IsOptional()
  @IsString()
  containerLogMaxSize?: string;

  @Flag('log files that a container keeps')
  @IsOptional()
  @Matches(/^\d{1,3}$/)
  containerLogMaxFiles?: string;

  @Flag('resources kept for the system: cpu=100m,memory=1Gi')
  @IsOptional()
  @IsString()
  systemReserved?: string;

  @Flag('resources kept for the kubelet and the runtime')
  @IsOptional()
  @IsString()
  kubeReserved?: string;

  @Flag('file that is there while the machine is about to shut down (see shutdownGracePeriod)')
  @IsString()
  shutdownFile = '/run/systemd/shutdown/scheduled';
}
