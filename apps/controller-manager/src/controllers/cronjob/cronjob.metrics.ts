import type { Job } from '@orrery/api';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';

/** Tells that a job was made, and for which time (unix ms). */
export type JobCreated = (job: Job, scheduledAt: number) => void;

/** k8s pkg/controller/cronjob/metrics/metrics.go. */
export function createCronJobMeters(metrics: Metrics): JobCreated {
  const skew = metrics.histogram({
    name: 'cronjob_controller_job_creation_skew_duration_seconds',
    help: 'Time between when a cronjob is scheduled to be run, and when the corresponding job is created',
    buckets: exponentialBuckets(1, 2, 10),
  });
  return ({ metadata: { creationTimestamp = '' } }, scheduledAt) => {
    skew.observe((Date.parse(creationTimestamp) - scheduledAt) / 1000);
  };
}
