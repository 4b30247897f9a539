import { Flag } from '@orrery/component';
import { LeaderElectedFlags } from '@orrery/controller';
import { IsInt, Min } from 'class-validator';

/** A flag that says how many objects of a kind are reconciled at once. */
function Workers(kind: string, flag: string): PropertyDecorator {
  const parts = [Flag(`${kind} that are reconciled at once`, flag), IsInt(), Min(1)];
  return (target, property) => {
    for (const decorate of parts) decorate(target, property);
  };
}

/** --concurrent-*-syncs, with upstream's defaults. */
export class ConcurrencyFlags extends LeaderElectedFlags {
  @Workers('CronJobs', 'concurrent-cron-job-syncs')
  concurrentCronJobSyncs: number = 5;

  @Workers('DaemonSets', 'concurrent-daemonset-syncs')
  concurrentDaemonsetSyncs: number = 2;

  @Workers('Deployments', 'concurrent-deployment-syncs')
  concurrentDeploymentSyncs: number = 5;

  @Workers('Pods with devices', 'concurrent-device-taint-eviction-syncs')
  concurrentDeviceTaintEvictionSyncs: number = 10;

  @Workers('Services', 'concurrent-endpoint-syncs')
  concurrentEndpointSyncs: number = 5;

  @Workers('Pods with ephemeral volumes', 'concurrent-ephemeralvolume-syncs')
  concurrentEphemeralvolumeSyncs: number = 5;

  @Workers('Objects', 'concurrent-gc-syncs')
  concurrentGcSyncs: number = 20;

  @Workers('HorizontalPodAutoscalers', 'concurrent-horizontal-pod-autoscaler-syncs')
  concurrentHorizontalPodAutoscalerSyncs: number = 5;

  @Workers('Jobs', 'concurrent-job-syncs')
  concurrentJobSyncs: number = 5;

  @Workers('Namespaces', 'concurrent-namespace-syncs')
  concurrentNamespaceSyncs: number = 10;

  @Workers('ReplicationControllers', 'concurrent-rc-syncs')
  concurrentRcSyncs: number = 5;

  @Workers('ReplicaSets', 'concurrent-replicaset-syncs')
  concurrentReplicasetSyncs: number = 5;

  @Workers('Claims of devices', 'concurrent-resource-claim-syncs')
  concurrentResourceClaimSyncs: number = 50;

  @Workers('ResourceQuotas', 'concurrent-resource-quota-syncs')
  concurrentResourceQuotaSyncs: number = 5;

  @Workers('Services whose slices', 'concurrent-service-endpoint-syncs')
  concurrentServiceEndpointSyncs: number = 5;

  @Workers('Services with load balancers', 'concurrent-service-syncs')
  concurrentServiceSyncs: number = 1;

  @Workers('Token Secrets', 'concurrent-serviceaccount-token-syncs')
  concurrentServiceaccountTokenSyncs: number = 5;

  @Workers('StatefulSets', 'concurrent-statefulset-syncs')
  concurrentStatefulsetSyncs: number = 5;

  @Workers('Finished Jobs', 'concurrent-ttl-after-finished-syncs')
  concurrentTtlAfterFinishedSyncs: number = 5;

  @Workers('Policies', 'concurrent-validating-admission-policy-status-syncs')
  concurrentValidatingAdmissionPolicyStatusSyncs: number = 5;

  @Workers('Endpoints', 'mirroring-concurrent-service-endpoint-syncs')
  mirroringConcurrentServiceEndpointSyncs: number = 5;
}

/** Workers by controller. */
export function toConcurrency(flags: ConcurrencyFlags): Readonly<Record<string, number>> {
  return {
    'cronjob-controller': flags.concurrentCronJobSyncs,
    'daemonset-controller': flags.concurrentDaemonsetSyncs,
    'deployment-controller': flags.concurrentDeploymentSyncs,
    'device-taint-eviction-controller': flags.concurrentDeviceTaintEvictionSyncs,
    'endpoints-controller': flags.concurrentEndpointSyncs,
    'ephemeral-volume-controller': flags.concurrentEphemeralvolumeSyncs,
    'garbage-collector-controller': flags.concurrentGcSyncs,
    'horizontal-pod-autoscaler-controller': flags.concurrentHorizontalPodAutoscalerSyncs,
    'job-controller': flags.concurrentJobSyncs,
    'namespace-controller': flags.concurrentNamespaceSyncs,
    'replicationcontroller-controller': flags.concurrentRcSyncs,
    'replicaset-controller': flags.concurrentReplicasetSyncs,
    'resourceclaim-controller': flags.concurrentResourceClaimSyncs,
    'resourcequota-controller': flags.concurrentResourceQuotaSyncs,
    'endpointslice-controller': flags.concurrentServiceEndpointSyncs,
    'service-lb-controller': flags.concurrentServiceSyncs,
    'serviceaccount-token-controller': flags.concurrentServiceaccountTokenSyncs,
    'statefulset-controller': flags.concurrentStatefulsetSyncs,
    'ttl-after-finished-controller': flags.concurrentTtlAfterFinishedSyncs,
    'validatingadmissionpolicy-status-controller':
      flags.concurrentValidatingAdmissionPolicyStatusSyncs,
    'endpointslice-mirroring-controller': flags.mirroringConcurrentServiceEndpointSyncs,
  };
}
