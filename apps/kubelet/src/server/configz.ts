import type { KubeletOptions } from '../config/kubelet-options.js';

const seconds = (ms: number): string => `${ms / 1000}s`;

/** The configuration in effect, as upstream's /configz shows it. */
export function configz(options: KubeletOptions): object {
  const { tuning } = options;
  return {
    kubeletconfig: {
      kind: 'KubeletConfiguration',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      address: options.address,
      port: options.port,
      clusterDNS: options.clusterDns,
      clusterDomain: options.clusterDomain,
      ...(options.manifestPath === undefined ? {} : { staticPodPath: options.manifestPath }),
      podLogsDir: options.paths.podLogsDir,
      enableSystemLogHandler: options.paths.systemLogsDir !== undefined,
      maxPods: options.maxPods,
      containerRuntimeEndpoint: options.runtimeEndpoint,
      nodeStatusUpdateFrequency: seconds(options.nodeStatusUpdateMs),
      nodeLeaseDurationSeconds: options.nodeLeaseSeconds,
      evictionHard: Object.fromEntries(
        tuning.eviction.thresholds
          .filter(({ graceMs }) => graceMs === 0)
          .map(({ signal, quantity }) => [
            signal,
            'share' in quantity ? `${quantity.share * 100}%` : quantity.text,
          ]),
      ),
      evictionPressureTransitionPeriod: seconds(tuning.eviction.transitionMs),
      evictionMaxPodGracePeriod: tuning.eviction.maxPodGraceSeconds,
      imageGCHighThresholdPercent: tuning.images.highPercent,
      imageGCLowThresholdPercent: tuning.images.lowPercent,
      imageMinimumGCAge: seconds(tuning.images.minimumAgeMs),
      imageMaximumGCAge: seconds(tuning.images.maximumAgeMs),
      imagePullCredentialsVerificationPolicy: tuning.images.verification.policy,
      crashLoopBackOff: { maxContainerRestartPeriod: seconds(tuning.maxRestartMs) },
      containerLogMaxSize: String(tuning.logs.maxBytes),
      containerLogMaxFiles: tuning.logs.maxFiles,
      containerLogMonitorInterval: seconds(tuning.logs.periodMs),
      shutdownGracePeriodByPodPriority: tuning.shutdown.groups.map(({ priority, graceMs }) => ({
        priority,
        shutdownGracePeriodSeconds: graceMs / 1000,
      })),
    },
  };
}
