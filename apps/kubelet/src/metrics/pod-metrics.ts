import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';

/** k8s pkg/kubelet/metrics/metrics.go:podStartupDurationBuckets. */
const STARTUP_BUCKETS = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800,
  2700, 3600,
];

const SLI_HELP =
  'excluding time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch';

/** How long pods take to start, and what was started. */
const startMetrics = (metrics: Metrics) => ({
  start: metrics.histogram({
    name: 'kubelet_pod_start_duration_seconds',
    help: 'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
    buckets: STARTUP_BUCKETS,
  }),
  startSli: metrics.histogram({
    name: 'kubelet_pod_start_sli_duration_seconds',
    help: `Duration in seconds to start a pod, ${SLI_HELP}`,
    buckets: STARTUP_BUCKETS,
  }),
  startTotal: metrics.histogram({
    name: 'kubelet_pod_start_total_duration_seconds',
    help: 'Duration in seconds to start a pod since creation, including time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch',
    buckets: STARTUP_BUCKETS,
  }),
  firstNetworkStartSli: metrics.gauge({
    name: 'kubelet_first_network_pod_start_sli_duration_seconds',
    help: `Duration in seconds to start the first network pod, ${SLI_HELP}`,
  }),
  startedPods: metrics.counter({
    name: 'kubelet_started_pods_total',
    help: 'Cumulative number of pods started',
  }),
  startedPodsErrors: metrics.counter({
    name: 'kubelet_started_pods_errors_total',
    help: 'Cumulative number of errors when starting pods',
  }),
  startedContainers: metrics.counter({
    name: 'kubelet_started_containers_total',
    help: 'Cumulative number of containers started',
    labels: ['container_type'],
  }),
  startedContainersErrors: metrics.counter({
    name: 'kubelet_started_containers_errors_total',
    help: 'Cumulative number of errors when starting containers',
    labels: ['container_type', 'code'],
  }),
});

/** What workers do to pods (k8s pkg/kubelet/metrics/metrics.go, v1.36). Durations in seconds. */
export const podMetrics = (metrics: Metrics) => ({
  ...startMetrics(metrics),
  containersPerPod: metrics.histogram({
    name: 'kubelet_containers_per_pod_count',
    help: 'The number of containers per pod.',
    buckets: exponentialBuckets(1, 2, 5),
  }),
  workerDuration: metrics.histogram({
    name: 'kubelet_pod_worker_duration_seconds',
    help: 'Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync',
    labels: ['operation_type'],
  }),
  workerStart: metrics.histogram({
    name: 'kubelet_pod_worker_start_duration_seconds',
    help: 'Duration in seconds from kubelet seeing a pod to starting a worker.',
  }),
  statusSync: metrics.histogram({
    name: 'kubelet_pod_status_sync_duration_seconds',
    help: 'Duration in seconds to sync a pod status update. Measures time from detection of a change to pod status until the API is successfully updated for that pod, even if multiple intevening changes to pod status occur.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60],
  }),
  restarted: metrics.counter({
    name: 'kubelet_restarted_pods_total',
    help: 'Number of pods that have been restarted because they were deleted and recreated with the same UID while the kubelet was watching them (common for static pods, extremely uncommon for API pods)',
    labels: ['static'],
  }),
  orphans: metrics.counter({
    name: 'kubelet_orphaned_runtime_pods_total',
    help: 'Number of pods that have been detected in the container runtime without being already known to the pod worker. This typically indicates the kubelet was restarted while a pod was force deleted in the API or in the local configuration, which is unusual.',
  }),
  rejections: metrics.counter({
    name: 'kubelet_admission_rejections_total',
    help: 'Cumulative number pod admission rejections by the Kubelet.',
    labels: ['reason'],
  }),
  hooks: {
    httpFallbacks: metrics.counter({
      name: 'kubelet_lifecycle_handler_http_fallbacks_total',
      help: 'The number of times lifecycle handlers successfully fell back to http from https.',
    }),
    shortSleeps: metrics.counter({
      name: 'kubelet_sleep_action_terminated_early_total',
      help: 'The number of times lifecycle sleep handler got terminated before it finishes',
    }),
  },
});

export type PodMetrics = ReturnType<typeof podMetrics>;
