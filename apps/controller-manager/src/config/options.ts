import { ConfigError, parseDuration } from '@orrery/component';
import { toElection, toRequestLimit, toServing } from '@orrery/controller';
import type { LeaderElectedOptions } from '@orrery/controller';
import { toConcurrency } from './concurrency-flags.js';
import { toFeatureGates } from './feature-gates.js';
import type { FeatureGates } from './feature-gates.js';
import { ControllerManagerFlags } from './flags.js';
import { nodeCidrMaskSizes } from './node-cidr-mask-sizes.js';
import type { MaskSizes } from './node-cidr-mask-sizes.js';
import { toSubsystems } from './subsystem-options.js';
import type { SubsystemOptions } from './subsystem-options.js';

export { ControllerManagerFlags };

/** The flags as a program needs them. */
export interface ControllerManagerOptions extends LeaderElectedOptions, SubsystemOptions {
  readonly controllers: readonly string[];
  readonly featureGates: FeatureGates;
  readonly clusterCidr: string;
  readonly serviceClusterIpRange: string;
  readonly allocateNodeCidrs: boolean;
  readonly nodeCidrMaskSizes: MaskSizes;
  readonly rootCaFile: string;
  readonly serviceAccountPrivateKeyFile: string;
  readonly useServiceAccountCredentials: boolean;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGracePeriodMs: number;
  readonly nodeEvictionRate: number;
  readonly terminatedPodGcThreshold: number;
  readonly disableForceDetachOnTimeout: boolean;
  /** Workers by controller, where a flag sets them. */
  readonly concurrency: Readonly<Record<string, number>>;
}

/** Checks what single flags cannot say. Throws ConfigError. */
export function toOptions(flags: ControllerManagerFlags): ControllerManagerOptions {
  if (flags.kubeconfig === '') throw new ConfigError('--kubeconfig must be given');
  if (flags.allocateNodeCidrs && flags.clusterCidr === '')
    throw new ConfigError('--allocate-node-cidrs needs --cluster-cidr');
  const ms = (text: string): number => parseDuration(text) ?? 0;
  return {
    ...toElection(flags),
    kubeconfig: flags.kubeconfig,
    controllers: flags.controllers,
    featureGates: toFeatureGates(flags.featureGates),
    clusterCidr: flags.clusterCidr,
    allocateNodeCidrs: flags.allocateNodeCidrs,
    nodeCidrMaskSizes: flags.allocateNodeCidrs
      ? nodeCidrMaskSizes(flags)
      : nodeCidrMaskSizes({ clusterCidr: '' }),
    rootCaFile: flags.rootCaFile,
    serviceAccountPrivateKeyFile: flags.serviceAccountPrivateKeyFile,
    serviceClusterIpRange: flags.serviceClusterIpRange,
    useServiceAccountCredentials: flags.useServiceAccountCredentials,
    nodeEvictionRate: flags.nodeEvictionRate,
    terminatedPodGcThreshold: flags.terminatedPodGcThreshold,
    disableForceDetachOnTimeout: flags.disableForceDetachOnTimeout,
    bindAddress: flags.bindAddress,
    securePort: flags.securePort,
    serving: toServing(flags),
    requestLimit: toRequestLimit(flags),
    nodeMonitorPeriodMs: ms(flags.nodeMonitorPeriod),
    nodeMonitorGracePeriodMs: ms(flags.nodeMonitorGracePeriod),
    concurrency: toConcurrency(flags),
    ...toSubsystems(flags),
  };
}
