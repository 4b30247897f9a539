import { ConfigError, parseDuration } from '@orrery/component';
import { ControllerManagerFlags } from './flags.js';

export { ControllerManagerFlags };

/** The flags as a program needs them. */
export interface ControllerManagerOptions {
  readonly kubeconfig: string;
  readonly controllers: readonly string[];
  readonly clusterCidr: string;
  readonly allocateNodeCidrs: boolean;
  readonly nodeCidrMaskSize: number;
  readonly rootCaFile: string;
  readonly leaderElect: boolean;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGracePeriodMs: number;
  readonly nodeEvictionRate: number;
  readonly terminatedPodGcThreshold: number;
  readonly bindAddress: string;
  readonly securePort: number;
  /** Workers by controller, where a flag sets them. */
  readonly concurrency: Readonly<Record<string, number>>;
}

/** Checks what single flags cannot say. Throws ConfigError. */
export function toOptions(flags: ControllerManagerFlags): ControllerManagerOptions {
  if (flags.kubeconfig === '') throw new ConfigError('--kubeconfig must be given');
  if (flags.allocateNodeCidrs && flags.clusterCidr === '')
    throw new ConfigError('--allocate-node-cidrs needs --cluster-cidr');
  const ms = (text: string): number => parseDuration(text) ?? 0;
  const leaseDurationMs = ms(flags.leaderElectLeaseDuration);
  const renewDeadlineMs = ms(flags.leaderElectRenewDeadline);
  const retryPeriodMs = ms(flags.leaderElectRetryPeriod);
  if (leaseDurationMs <= renewDeadlineMs)
    throw new ConfigError(
      '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline',
    );
  if (renewDeadlineMs <= retryPeriodMs * 1.2)
    throw new ConfigError(
      '--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period',
    );
  return {
    kubeconfig: flags.kubeconfig,
    controllers: flags.controllers,
    clusterCidr: flags.clusterCidr,
    allocateNodeCidrs: flags.allocateNodeCidrs,
    nodeCidrMaskSize: flags.nodeCidrMaskSize,
    rootCaFile: flags.rootCaFile,
    leaderElect: flags.leaderElect,
    nodeEvictionRate: flags.nodeEvictionRate,
    terminatedPodGcThreshold: flags.terminatedPodGcThreshold,
    bindAddress: flags.bindAddress,
    securePort: flags.securePort,
    leaseDurationMs,
    renewDeadlineMs,
    retryPeriodMs,
    nodeMonitorPeriodMs: ms(flags.nodeMonitorPeriod),
    nodeMonitorGracePeriodMs: ms(flags.nodeMonitorGracePeriod),
    concurrency: {
      'deployment-controller': flags.concurrentDeploymentSyncs,
      'replicaset-controller': flags.concurrentReplicasetSyncs,
      'endpoints-controller': flags.concurrentEndpointSyncs,
      'endpointslice-controller': flags.concurrentEndpointSyncs,
      'namespace-controller': flags.concurrentNamespaceSyncs,
      'garbage-collector-controller': flags.concurrentGcSyncs,
    },
  };
}
