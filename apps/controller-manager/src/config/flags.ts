import { Flag, IsDuration } from '@orrery/component';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

const worker = (kind: string): string => `${kind} that are reconciled at once`;

/** The flags of kube-controller-manager that are modelled, with upstream's names and defaults. */
export class ControllerManagerFlags {
  @Flag('Kubeconfig with the address and the credentials of the API server')
  @IsString()
  kubeconfig = '';

  @Flag("Controllers to run: '*' all, 'name' this one, '-name' not this one")
  @IsArray()
  controllers: string[] = ['*'];

  @Flag('Range of the pod addresses of the cluster')
  @IsOptional()
  @IsString()
  clusterCidr = '';

  @Flag('Give each node a pod range out of --cluster-cidr', 'allocate-node-cidrs')
  @IsBoolean()
  allocateNodeCidrs = false;

  @Flag("Mask size of a node's pod range")
  @IsInt()
  @Min(8)
  @Max(30)
  nodeCidrMaskSize = 24;

  @Flag('Range of the service addresses of the cluster', 'service-cluster-ip-range')
  @IsOptional()
  @IsString()
  serviceClusterIpRange = '';

  @Flag('Certificate authority that is published in each namespace')
  @IsOptional()
  @IsString()
  rootCaFile = '';

  @Flag('Key that signs service account tokens; accepted for compatibility')
  @IsOptional()
  @IsString()
  serviceAccountPrivateKeyFile = '';

  @Flag('Contend for the lease before acting')
  @IsBoolean()
  leaderElect = true;

  @Flag('How long others wait after the last renewal of the lease')
  @IsDuration()
  leaderElectLeaseDuration = '15s';

  @Flag('How long after its last renewal a leader still acts')
  @IsDuration()
  leaderElectRenewDeadline = '10s';

  @Flag('Time between tries to take or renew the lease')
  @IsDuration()
  leaderElectRetryPeriod = '2s';

  @Flag('Time between looks at the nodes')
  @IsDuration()
  nodeMonitorPeriod = '5s';

  @Flag('Silence after which a node is unhealthy')
  @IsDuration()
  nodeMonitorGracePeriod = '40s';

  @Flag('Nodes evicted per second')
  nodeEvictionRate = 0.1;

  @Flag(worker('Deployments'))
  @IsInt()
  @Min(1)
  concurrentDeploymentSyncs = 5;

  @Flag(worker('ReplicaSets'))
  @IsInt()
  @Min(1)
  concurrentReplicasetSyncs = 5;

  @Flag(worker('Services'))
  @IsInt()
  @Min(1)
  concurrentEndpointSyncs = 5;

  @Flag(worker('Namespaces'))
  @IsInt()
  @Min(1)
  concurrentNamespaceSyncs = 10;

  @Flag(worker('Objects'))
  @IsInt()
  @Min(1)
  concurrentGcSyncs = 20;

  @Flag('Terminated pods beyond this number are deleted, 0 = never', 'terminated-pod-gc-threshold')
  @IsInt()
  @Min(0)
  terminatedPodGcThreshold = 12_500;

  @Flag('Address of /healthz and /metrics; none = not served')
  @IsOptional()
  @IsString()
  bindAddress = '';

  @Flag('Port of /healthz and /metrics')
  @IsInt()
  @Min(0)
  @Max(65_535)
  securePort = 10_257;
}
