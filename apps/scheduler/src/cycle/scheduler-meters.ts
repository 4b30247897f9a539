import type { Metrics } from '@orrery/component';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { QueueSizes } from '../queue/scheduling-queue.js';

export interface SchedulerMeters {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void;
  bound(pod: QueuedPod, seconds: number): void;
  preempted(victims: number): void;
  sizes(sizes: QueueSizes): void;
}

const buckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * factor ** i);

/** Metrics with upstream's names. */
export function createSchedulerMeters(metrics: Metrics): SchedulerMeters {
  const attempts = metrics.counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labels: ['result', 'profile'],
  });
  const duration = metrics.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    labels: ['result', 'profile'],
    buckets: buckets(0.001, 2, 15),
  });
  const sli = metrics.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.',
    labels: ['attempts'],
    buckets: buckets(0.01, 2, 20),
  });
  const victims = metrics.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims',
    buckets: buckets(1, 2, 7),
  });
  const pending = metrics.gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pending pods, by the queue type.',
    labels: ['queue'],
  });
  return {
    attempt(result, profile, seconds) {
      attempts.inc({ result, profile });
      duration.observe({ result, profile }, seconds);
    },
    bound(pod, seconds) {
      sli.observe({ attempts: pod.attempts > 15 ? '15+' : String(pod.attempts) }, seconds);
    },
    preempted(count) {
      victims.observe(count);
    },
    sizes(sizes) {
      for (const [queue, size] of Object.entries(sizes)) pending.set({ queue }, size);
    },
  };
}
