import { ConfigError, parseDuration } from '@orrery/component';
import type { SubsystemFlags } from './subsystem-flags.js';

/** A certificate authority in files. */
export interface SigningFiles {
  readonly cert: string;
  readonly key: string;
}

export interface SubsystemOptions {
  readonly horizontalPodAutoscaler: {
    readonly syncPeriodMs: number;
    readonly tolerance: number;
    readonly downscaleWindowMs: number;
    readonly cpuInitializationMs: number;
    readonly initialReadinessMs: number;
  };
  /** By signer name; a signer without files does not run. */
  readonly signing: {
    readonly durationMs: number;
    readonly files: Readonly<Record<string, SigningFiles>>;
  };
  readonly legacyTokenCleanUpMs: number;
  readonly volumes: {
    readonly provisioning: boolean;
    readonly localPathDir: string;
    readonly localPathHelperImage: string;
  };
  readonly loadBalancerPool: readonly string[];
  readonly zones: {
    readonly startupGraceMs: number;
    readonly secondaryEvictionRate: number;
    readonly unhealthyThreshold: number;
    readonly largeClusterSize: number;
  };
  readonly maxEndpointsPerSlice: number;
  readonly mirroringMaxEndpointsPerSubset: number;
  readonly resourceQuotaSyncMs: number;
}

const ms = (text: string): number => parseDuration(text) ?? 0;

type Pair = readonly [cert: string, key: string];

/** Signers with files of their own do not use those of the cluster; both ways at once are refused, as upstream does. */
function signingFiles(flags: SubsystemFlags): Readonly<Record<string, SigningFiles>> {
  const whole: Pair = [flags.clusterSigningCertFile, flags.clusterSigningKeyFile];
  const own: Readonly<Record<string, Pair>> = {
    'kubernetes.io/kubelet-serving': [flags.kubeletServingCertFile, flags.kubeletServingKeyFile],
    'kubernetes.io/kube-apiserver-client-kubelet': [
      flags.kubeletClientCertFile,
      flags.kubeletClientKeyFile,
    ],
    'kubernetes.io/kube-apiserver-client': [
      flags.apiserverClientCertFile,
      flags.apiserverClientKeyFile,
    ],
    'kubernetes.io/legacy-unknown': [flags.legacyUnknownCertFile, flags.legacyUnknownKeyFile],
  };
  const anyOwn = Object.values(own).some((pair) => pair.some((file) => file !== ''));
  if (anyOwn && whole.some((file) => file !== ''))
    throw new ConfigError(
      'cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time',
    );
  const entries = Object.entries(own).map(([signer, pair]) => {
    const [cert, key] = anyOwn ? pair : whole;
    if ((cert === '') !== (key === ''))
      throw new ConfigError(`signer ${signer} needs both a certificate file and a key file`);
    return [signer, { cert, key }] as const;
  });
  return Object.fromEntries(entries.filter(([, { cert }]) => cert !== ''));
}

/** Checks what single flags cannot say. Throws ConfigError. */
export function toSubsystems(flags: SubsystemFlags): SubsystemOptions {
  return {
    horizontalPodAutoscaler: {
      syncPeriodMs: ms(flags.horizontalPodAutoscalerSyncPeriod),
      tolerance: flags.horizontalPodAutoscalerTolerance,
      downscaleWindowMs: ms(flags.horizontalPodAutoscalerDownscaleStabilization),
      cpuInitializationMs: ms(flags.horizontalPodAutoscalerCpuInitializationPeriod),
      initialReadinessMs: ms(flags.horizontalPodAutoscalerInitialReadinessDelay),
    },
    signing: { durationMs: ms(flags.clusterSigningDuration), files: signingFiles(flags) },
    legacyTokenCleanUpMs: ms(flags.legacyServiceAccountTokenCleanUpPeriod),
    volumes: {
      provisioning: flags.enableDynamicProvisioning,
      localPathDir: flags.localPathDir,
      localPathHelperImage: flags.localPathHelperImage,
    },
    loadBalancerPool: flags.loadBalancerPool,
    zones: {
      startupGraceMs: ms(flags.nodeStartupGracePeriod),
      secondaryEvictionRate: flags.secondaryNodeEvictionRate,
      unhealthyThreshold: flags.unhealthyZoneThreshold,
      largeClusterSize: flags.largeClusterSizeThreshold,
    },
    maxEndpointsPerSlice: flags.maxEndpointsPerSlice,
    mirroringMaxEndpointsPerSubset: flags.mirroringMaxEndpointsPerSubset,
    resourceQuotaSyncMs: ms(flags.resourceQuotaSyncPeriod),
  };
}
