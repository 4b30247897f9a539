import type { Metrics } from '@orrery/component';

/** What /metrics/probes tells (k8s pkg/kubelet/prober/prober_manager.go, v1.36). */
export const probeMetrics = (metrics: Metrics) => ({
  total: metrics.counter({
    name: 'prober_probe_total',
    help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
    labels: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'],
  }),
  /** Seconds. */
  duration: metrics.histogram({
    name: 'prober_probe_duration_seconds',
    help: 'Duration in seconds for a probe response.',
    labels: ['probe_type', 'container', 'pod', 'namespace'],
  }),
});

export type ProbeMetrics = ReturnType<typeof probeMetrics>;
