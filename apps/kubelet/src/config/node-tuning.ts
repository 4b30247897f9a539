import { parseQuantity, quantityValue } from '@orrery/apimachinery';
import { ConfigError, parseDuration } from '@orrery/component';
import { parseSysctls } from '../admission/sysctls.js';
import { SYSTEM_CRITICAL } from '../eviction/rank-pods.js';
import { parseList, parseThresholds } from '../eviction/thresholds.js';
import type { Threshold } from '../eviction/thresholds.js';
import type { Verification } from '../images/image-access.js';
import type { KubeletConfiguration } from './kubelet-configuration.js';
import type { ShutdownGroup } from '../node/node-shutdown.js';
import type { KubeletFlags } from './kubelet-flags.js';

/** How a node keeps itself alive and tidy. */
export interface NodeTuning {
  readonly eviction: {
    readonly thresholds: readonly Threshold[];
    readonly transitionMs: number;
    readonly maxPodGraceSeconds: number;
  };
  readonly images: {
    readonly highPercent: number;
    readonly lowPercent: number;
    readonly minimumAgeMs: number;
    readonly maximumAgeMs: number;
    readonly verification: Verification;
  };
  /** Longest wait of containers that end again and again. */
  readonly maxRestartMs: number;
  readonly logs: {
    readonly maxBytes: number;
    readonly maxFiles: number;
    readonly periodMs: number;
  };
  readonly shutdown: {
    /** Ascending by priority; without any a shutdown is not waited for. */
    readonly groups: readonly ShutdownGroup[];
    readonly file: string;
  };
  /** Resources kept from pods: system-reserved and kube-reserved together. */
  readonly reserved: Readonly<Record<string, number>>;
  /** Settings of the kernel that pods may change although they are not safe. */
  readonly unsafeSysctls: readonly string[];
}

type Given = Pick<
  KubeletFlags,
  | 'evictionHard'
  | 'evictionSoft'
  | 'evictionSoftGracePeriod'
  | 'evictionMinimumReclaim'
  | 'evictionPressureTransitionPeriod'
  | 'evictionMaxPodGracePeriod'
  | 'imageGcHighThreshold'
  | 'imageGcLowThreshold'
  | 'containerLogMaxSize'
  | 'containerLogMaxFiles'
  | 'systemReserved'
  | 'kubeReserved'
  | 'shutdownFile'
  | 'allowedUnsafeSysctls'
>;

/** Upstream's but for the disk: several nodes share the machine's, and a full one must not evict them all (as kind). */
const EVICTION_HARD: Readonly<Record<string, string>> = { 'memory.available': '100Mi' };

function duration(text: string, field: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new ConfigError(`${field} must be a duration such as 10s`);
  return ms;
}

function bytes(text: string, field: string): number {
  try {
    return quantityValue(parseQuantity(text));
  } catch (error) {
    throw new ConfigError(`${field} must be a quantity such as 10Mi`, { cause: error });
  }
}

type Map = Readonly<Record<string, string>>;

function mapOf(
  flag: string | undefined,
  file: Map | undefined,
  separator: '<' | '=',
  name: string,
): Map | undefined {
  return flag === undefined ? file : parseList(flag, separator, `--${name}`);
}

function reservedOf(maps: readonly (Map | undefined)[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const map of maps)
    for (const [resource, text] of Object.entries(map ?? {}))
      sum[resource] = (sum[resource] ?? 0) + Number(parseQuantity(text).nanos) / 1e9;
  return sum;
}

function evictionOf(flags: Given, file: Partial<KubeletConfiguration>): NodeTuning['eviction'] {
  const hard = mapOf(flags.evictionHard, file.evictionHard, '<', 'eviction-hard');
  const soft = mapOf(flags.evictionSoft, file.evictionSoft, '<', 'eviction-soft');
  const transition =
    flags.evictionPressureTransitionPeriod ?? file.evictionPressureTransitionPeriod ?? '5m';
  return {
    thresholds: parseThresholds({
      hard: hard ?? EVICTION_HARD,
      soft: soft ?? {},
      softGracePeriod:
        mapOf(
          flags.evictionSoftGracePeriod,
          file.evictionSoftGracePeriod,
          '=',
          'eviction-soft-grace-period',
        ) ?? {},
      minimumReclaim:
        mapOf(
          flags.evictionMinimumReclaim,
          file.evictionMinimumReclaim,
          '=',
          'eviction-minimum-reclaim',
        ) ?? {},
    }),
    transitionMs: duration(transition, 'evictionPressureTransitionPeriod'),
    maxPodGraceSeconds: Number(
      flags.evictionMaxPodGracePeriod ?? file.evictionMaxPodGracePeriod ?? 0,
    ),
  };
}

function imagesOf(flags: Given, file: Partial<KubeletConfiguration>): NodeTuning['images'] {
  const highPercent = Number(flags.imageGcHighThreshold ?? file.imageGCHighThresholdPercent ?? 85);
  const lowPercent = Number(flags.imageGcLowThreshold ?? file.imageGCLowThresholdPercent ?? 80);
  if (lowPercent >= highPercent)
    throw new ConfigError(
      'imageGCLowThresholdPercent must be less than imageGCHighThresholdPercent',
    );
  return {
    highPercent,
    lowPercent,
    minimumAgeMs: duration(file.imageMinimumGCAge ?? '2m', 'imageMinimumGCAge'),
    maximumAgeMs: duration(file.imageMaximumGCAge ?? '0s', 'imageMaximumGCAge'),
    verification: verificationOf(file),
  };
}

function verificationOf(file: Partial<KubeletConfiguration>): Verification {
  const policy = file.imagePullCredentialsVerificationPolicy ?? 'NeverVerifyPreloadedImages';
  const allowlist = file.preloadedImagesVerificationAllowlist ?? [];
  if (allowlist.length > 0 && policy !== 'NeverVerifyAllowlistedImages')
    throw new ConfigError(
      'preloadedImagesVerificationAllowlist: can only be set when imagePullCredentialsVerificationPolicy is NeverVerifyAllowlistedImages',
    );
  return { policy, allowlist };
}

/** k8s pkg/kubelet/apis/config/validation/validation.go: from a second to five minutes. */
function maxRestartOf({ crashLoopBackOff }: Partial<KubeletConfiguration>): number {
  const field = 'crashLoopBackOff.maxContainerRestartPeriod';
  const ms = duration(crashLoopBackOff?.maxContainerRestartPeriod ?? '300s', field);
  if (ms < 1_000 || ms > 300_000) throw new ConfigError(`${field} must be from 1s to 300s`);
  return ms;
}

function shutdownOf(flags: Given, file: Partial<KubeletConfiguration>): NodeTuning['shutdown'] {
  const graceMs = duration(file.shutdownGracePeriod ?? '0s', 'shutdownGracePeriod');
  const criticalGraceMs = duration(
    file.shutdownGracePeriodCriticalPods ?? '0s',
    'shutdownGracePeriodCriticalPods',
  );
  if (criticalGraceMs > graceMs)
    throw new ConfigError('shutdownGracePeriodCriticalPods must be <= shutdownGracePeriod');
  const byPriority = file.shutdownGracePeriodByPodPriority ?? [];
  if (byPriority.length > 0 && graceMs > 0)
    throw new ConfigError(
      'Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time',
    );
  const groups =
    graceMs > 0
      ? [
          { priority: 0, graceMs: graceMs - criticalGraceMs },
          { priority: SYSTEM_CRITICAL, graceMs: criticalGraceMs },
        ]
      : byPriority.map(({ priority, shutdownGracePeriodSeconds }) => ({
          priority,
          graceMs: shutdownGracePeriodSeconds * 1000,
        }));
  return {
    groups: groups.toSorted((a, b) => a.priority - b.priority),
    file: flags.shutdownFile,
  };
}

/** Flags win over the file; what neither says is upstream's default. Throws ConfigError. */
export function tuningOf(flags: Given, file: Partial<KubeletConfiguration> = {}): NodeTuning {
  const maxFiles = Number(flags.containerLogMaxFiles ?? file.containerLogMaxFiles ?? 5);
  if (maxFiles < 2) throw new ConfigError('containerLogMaxFiles must be greater than 1');
  return {
    eviction: evictionOf(flags, file),
    images: imagesOf(flags, file),
    logs: {
      maxBytes: bytes(
        flags.containerLogMaxSize ?? file.containerLogMaxSize ?? '10Mi',
        'containerLogMaxSize',
      ),
      maxFiles,
      periodMs: duration(file.containerLogMonitorInterval ?? '10s', 'containerLogMonitorInterval'),
    },
    maxRestartMs: maxRestartOf(file),
    shutdown: shutdownOf(flags, file),
    unsafeSysctls: parseSysctls(
      flags.allowedUnsafeSysctls?.split(',').filter(Boolean) ?? file.allowedUnsafeSysctls ?? [],
    ),
    reserved: reservedOf([
      mapOf(flags.systemReserved, file.systemReserved, '=', 'system-reserved'),
      mapOf(flags.kubeReserved, file.kubeReserved, '=', 'kube-reserved'),
    ]),
  };
}
