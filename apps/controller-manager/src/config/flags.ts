import { Flag, IsDuration } from '@orrery/component';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { SubsystemFlags } from './subsystem-flags.js';

/** The flags of kube-controller-manager that are modelled, with upstream's names and defaults. */
export class ControllerManagerFlags extends SubsystemFlags {
  override leaderElectResourceName: string = 'kube-controller-manager';
  override securePort: number = 10_257;

  @Flag("Controllers to run: '*' all, 'name' this one, '-name' not this one")
  @IsArray()
  controllers: string[] = ['*'];

  @Flag('Features that are off by default, as Name=true', 'feature-gates')
  @IsArray()
  featureGates: string[] = [];

  @Flag('Range of the pod addresses of the cluster, or one of each family separated by a comma')
  @IsOptional()
  @IsString()
  clusterCidr: string = '';

  @Flag('Give each node a pod range out of --cluster-cidr', 'allocate-node-cidrs')
  @IsBoolean()
  allocateNodeCidrs: boolean = false;

  @Flag("Mask size of a node's pod range, in a cluster of one family")
  @IsOptional()
  @IsInt()
  @Min(8)
  @Max(126)
  nodeCidrMaskSize?: number = undefined;

  @Flag("Mask size of a node's IPv4 pod range (default 24)", 'node-cidr-mask-size-ipv4')
  @IsOptional()
  @IsInt()
  @Min(8)
  @Max(30)
  nodeCidrMaskSizeIpv4?: number = undefined;

  @Flag("Mask size of a node's IPv6 pod range (default 64)", 'node-cidr-mask-size-ipv6')
  @IsOptional()
  @IsInt()
  @Min(8)
  @Max(126)
  nodeCidrMaskSizeIpv6?: number = undefined;

  @Flag('Range of the service addresses of the cluster', 'service-cluster-ip-range')
  @IsOptional()
  @IsString()
  serviceClusterIpRange: string = '';

  @Flag('Certificate authority that is published in each namespace')
  @IsOptional()
  @IsString()
  rootCaFile: string = '';

  @Flag('Key that signs the tokens of service account Secrets')
  @IsOptional()
  @IsString()
  serviceAccountPrivateKeyFile: string = '';

  @Flag(
    'Each controller acts as a service account of its own in kube-system',
    'use-service-account-credentials',
  )
  @IsBoolean()
  useServiceAccountCredentials: boolean = false;

  @Flag('Time between looks at the nodes')
  @IsDuration()
  nodeMonitorPeriod: string = '5s';

  @Flag('Silence after which a node is unhealthy')
  @IsDuration()
  nodeMonitorGracePeriod: string = '50s';

  @Flag('Nodes evicted per second')
  nodeEvictionRate: number = 0.1;

  @Flag('Terminated pods beyond this number are deleted, 0 = never', 'terminated-pod-gc-threshold')
  @IsInt()
  @Min(0)
  terminatedPodGcThreshold: number = 12_500;

  @Flag(
    'Never detach a volume from a node that is not ready while it may have it mounted',
    'disable-force-detach-on-timeout',
  )
  @IsBoolean()
  disableForceDetachOnTimeout: boolean = false;
}
