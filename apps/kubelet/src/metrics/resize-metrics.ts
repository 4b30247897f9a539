import type { Metrics } from '@orrery/component';

/** In-place resizes (k8s pkg/kubelet/metrics/metrics.go, v1.36). */
export const resizeMetrics = (metrics: Metrics) => ({
  requested: metrics.counter({
    name: 'kubelet_container_requested_resizes_total',
    help: "Number of requested resizes, counted at the container level. Different resources on the same container are counted separately. The 'requirement' label refers to 'memory' or 'limits'; the 'operation' label can be one of 'add', 'remove', 'increase' or 'decrease'.",
    labels: ['resource', 'requirement', 'operation'],
  }),
  /** Milliseconds. */
  duration: metrics.histogram({
    name: 'kubelet_pod_resize_duration_milliseconds',
    help: 'Duration in milliseconds to actuate a pod resize',
    labels: ['success'],
    buckets: [
      10, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    ],
  }),
  infeasible: metrics.counter({
    name: 'kubelet_pod_infeasible_resizes_total',
    help: 'Number of infeasible resizes for pods.',
    labels: ['reason_detail'],
  }),
  accepted: metrics.counter({
    name: 'kubelet_pod_deferred_accepted_resizes_total',
    help: 'Cumulative number of resizes that were accepted after being deferred.',
    labels: ['retry_trigger'],
  }),
});

export type ResizeMetrics = ReturnType<typeof resizeMetrics>;
