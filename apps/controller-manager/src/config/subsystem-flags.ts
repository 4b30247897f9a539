import { Flag, IsDuration } from '@orrery/component';
import { IsBoolean, IsInt, IsNumber, IsOptional, IsString, Min } from 'class-validator';
import { FixedFlags } from './fixed-flags.js';

/** A flag that names a file, or nothing. */
function File(description: string, flag: string): PropertyDecorator {
  const parts = [Flag(description, flag), IsOptional(), IsString()];
  return (target, property) => {
    for (const decorate of parts) decorate(target, property);
  };
}

/** A flag that is a duration as Go writes it. */
function Duration(description: string, flag: string): PropertyDecorator {
  const parts = [Flag(description, flag), IsDuration()];
  return (target, property) => {
    for (const decorate of parts) decorate(target, property);
  };
}

/** Flags of single controllers, with upstream's names and defaults; ours are marked. */
export class SubsystemFlags extends FixedFlags {
  @Duration('Time between looks at an autoscaler', 'horizontal-pod-autoscaler-sync-period')
  horizontalPodAutoscalerSyncPeriod: string = '15s';

  @Flag('Share by which usage may be off its target', 'horizontal-pod-autoscaler-tolerance')
  @IsNumber()
  @Min(0)
  horizontalPodAutoscalerTolerance: number = 0.1;

  @Duration(
    'For how long the highest recommendation holds before scaling down',
    'horizontal-pod-autoscaler-downscale-stabilization',
  )
  horizontalPodAutoscalerDownscaleStabilization: string = '5m';

  @Duration(
    'Time after the start of a pod in which its cpu counts only when it is ready',
    'horizontal-pod-autoscaler-cpu-initialization-period',
  )
  horizontalPodAutoscalerCpuInitializationPeriod: string = '5m';

  @Duration(
    'Time after the start of a pod in which readiness is taken for its first',
    'horizontal-pod-autoscaler-initial-readiness-delay',
  )
  horizontalPodAutoscalerInitialReadinessDelay: string = '30s';

  @File('CA that signs CertificateSigningRequests', 'cluster-signing-cert-file')
  clusterSigningCertFile: string = '';

  @File('Key of that CA', 'cluster-signing-key-file')
  clusterSigningKeyFile: string = '';

  @Duration('Longest life of signed certificates', 'cluster-signing-duration')
  clusterSigningDuration: string = '8760h';

  @File('CA of kubelet-serving', 'cluster-signing-kubelet-serving-cert-file')
  kubeletServingCertFile: string = '';

  @File('Its key', 'cluster-signing-kubelet-serving-key-file')
  kubeletServingKeyFile: string = '';

  @File('CA of kube-apiserver-client-kubelet', 'cluster-signing-kubelet-client-cert-file')
  kubeletClientCertFile: string = '';

  @File('Its key', 'cluster-signing-kubelet-client-key-file')
  kubeletClientKeyFile: string = '';

  @File('CA of kube-apiserver-client', 'cluster-signing-kube-apiserver-client-cert-file')
  apiserverClientCertFile: string = '';

  @File('Its key', 'cluster-signing-kube-apiserver-client-key-file')
  apiserverClientKeyFile: string = '';

  @File('CA of legacy-unknown', 'cluster-signing-legacy-unknown-cert-file')
  legacyUnknownCertFile: string = '';

  @File('Its key', 'cluster-signing-legacy-unknown-key-file')
  legacyUnknownKeyFile: string = '';

  @Duration(
    'Time without use after which an automatic token Secret is deleted',
    'legacy-service-account-token-clean-up-period',
  )
  legacyServiceAccountTokenCleanUpPeriod: string = '8760h';

  @Flag('Make volumes for claims', 'enable-dynamic-provisioning')
  @IsBoolean()
  enableDynamicProvisioning: boolean = true;

  @Flag('Folder of volumes of rancher.io/local-path; {node} stands for the node', 'local-path-dir')
  @IsString()
  localPathDir: string = '/opt/local-path-provisioner';

  @File(
    'Image whose rm empties such volumes on their node; none = this process does',
    'local-path-helper-image',
  )
  localPathHelperImage: string = '';

  @Flag('Addresses for Services of type LoadBalancer: CIDRs and ranges', 'load-balancer-pool')
  loadBalancerPool: string[] = [];

  @Duration('Silence of a new node that is borne', 'node-startup-grace-period')
  nodeStartupGracePeriod: string = '1m';

  @Flag('Nodes evicted per second of a zone that is unhealthy', 'secondary-node-eviction-rate')
  @IsNumber()
  @Min(0)
  secondaryNodeEvictionRate: number = 0.01;

  @Flag('Share of nodes not ready from which on a zone is unhealthy', 'unhealthy-zone-threshold')
  @IsNumber()
  @Min(0)
  unhealthyZoneThreshold: number = 0.55;

  @Flag('Nodes up to which an unhealthy zone is not evicted at all', 'large-cluster-size-threshold')
  @IsInt()
  @Min(0)
  largeClusterSizeThreshold: number = 50;

  @Flag('Endpoints of one slice', 'max-endpoints-per-slice')
  @IsInt()
  @Min(1)
  maxEndpointsPerSlice: number = 100;

  @Flag('Mirrored addresses of one subset', 'mirroring-max-endpoints-per-subset')
  @IsInt()
  @Min(1)
  mirroringMaxEndpointsPerSubset: number = 1000;

  @Duration('Time between recounts of quotas', 'resource-quota-sync-period')
  resourceQuotaSyncPeriod: string = '5m';
}
