import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';

/** Tells that a job was deleted, and for how long it might have been (s). */
export type JobDeleted = (lateSeconds: number) => void;

/** k8s pkg/controller/ttlafterfinished/metrics/metrics.go. */
export function createTtlMeters(metrics: Metrics): JobDeleted {
  const durations = metrics.histogram({
    name: 'ttl_after_finished_controller_job_deletion_duration_seconds',
    help: 'The time it took to delete the job since it became eligible for deletion',
    buckets: exponentialBuckets(0.1, 2, 14),
  });
  return (lateSeconds) => {
    durations.observe(lateSeconds);
  };
}
