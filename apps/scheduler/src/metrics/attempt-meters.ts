import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { QueuedPod } from '../queue/queued-pod.js';
import { byLabels } from './by-labels.js';

export interface AttemptMeters {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void;
  /** Time that the algorithm took, without what was written. */
  algorithm(seconds: number): void;
  /** A pod is on its node; the time is since it was first seen. */
  bound(pod: QueuedPod, seconds: number): void;
}

/** Tries to place pods, and how long they took. */
export function createAttemptMeters(metrics: Metrics): AttemptMeters {
  const attempts = metrics.tally({
    name: 'scheduler_schedule_attempts_total',
    help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
  });
  const duration = metrics.talliedHistogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const algorithm = metrics.talliedHistogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Scheduling algorithm latency in seconds',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const sli = metrics.talliedHistogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    buckets: exponentialBuckets(0.01, 2, 20),
  });
  const tries = metrics.talliedHistogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts to successfully schedule a pod.',
    buckets: exponentialBuckets(1, 2, 5),
  });
  const flushed = metrics.tally({
    name: 'scheduler_pod_scheduled_after_flush_total',
    help: 'Number of pods that were successfully scheduled after being flushed from unschedulablePods due to timeout. This metric helps detect potential queueing hint misconfigurations or event handling issues.',
  });
  const ended = byLabels(['result', 'profile'], (labels) => attempts.of(labels));
  const took = byLabels(['result', 'profile'], (labels) => duration.of(labels));
  const slis = byLabels(['attempts'], (labels) => sli.of(labels));
  const [algorithmTook, tried, afterFlush] = [algorithm.of({}), tries.of({}), flushed.of({})];
  return {
    attempt(result, profile, seconds) {
      ended(result, profile)();
      took(result, profile)(seconds);
    },
    algorithm: algorithmTook,
    bound(pod, seconds) {
      tried(pod.attempts);
      slis(pod.attempts > 15 ? '15+' : String(pod.attempts))(seconds);
      if (pod.flushed) afterFlush();
    },
  };
}
