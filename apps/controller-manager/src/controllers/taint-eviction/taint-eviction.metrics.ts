import type { Metrics } from '@orrery/component';

/** Tells that a pod was deleted, and for how long it had had to go (s). */
export type PodDeleted = (lateSeconds: number) => void;

/** k8s pkg/controller/tainteviction/metrics/metrics.go. */
export function createTaintEvictionMeters(metrics: Metrics): PodDeleted {
  const deletions = metrics.counter({
    name: 'taint_eviction_controller_pod_deletions_total',
    help: 'Total number of Pods deleted by TaintEvictionController since its start.',
  });
  const latency = metrics.histogram({
    name: 'taint_eviction_controller_pod_deletion_duration_seconds',
    help: 'Latency, in seconds, between the time when a taint effect has been activated for the Pod and its deletion via TaintEvictionController.',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
  });
  return (lateSeconds) => {
    deletions.inc();
    latency.observe(lateSeconds);
  };
}
