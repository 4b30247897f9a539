import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { createDetailMeters } from './detail-meters.js';
import type { DetailMeters } from './detail-meters.js';
import type { Status } from '../framework/status.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { QueueSizes } from '../queue/scheduling-queue.js';

export interface SchedulerMeters extends DetailMeters {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void;
  bound(pod: QueuedPod, seconds: number): void;
  preempted(victims: number): void;
  sizes(sizes: QueueSizes): void;
  point(point: string, status: Status, profile: string, seconds: number): void;
  /** Time that the algorithm took, without what was written. */
  algorithm(seconds: number): void;
  attempted(): void;
  incoming(queue: 'active' | 'backoff' | 'unschedulable', event: string): void;
  cacheSize(type: 'nodes' | 'pods' | 'assumed_pods', size: number): void;
}

/** Begins to time an extension point; the result is told when it ends. */
export type PointTimer = (point: string, profile: string) => (status: Status) => void;

/** Metrics of the inside: plugins, queues and cache. */
function createInnerMetrics(metrics: Metrics) {
  const points = metrics.talliedHistogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: 'Latency for running all plugins of a specific extension point.',
    buckets: exponentialBuckets(0.0001, 2, 12),
  });
  const algorithm = metrics.talliedHistogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: 'Scheduling algorithm latency in seconds',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const preemptions = metrics.counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Total preemption attempts in the cluster till now',
  });
  const incoming = metrics.counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Number of pods added to scheduling queues by event and queue type.',
    labels: ['queue', 'event'],
  });
  const cache = metrics.gauge({
    name: 'scheduler_cache_size',
    help: 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.',
    labels: ['type'],
  });
  const tries = metrics.talliedHistogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: 'Number of attempts to successfully schedule a pod.',
    buckets: exponentialBuckets(1, 2, 5),
  });
  return { points, algorithm, preemptions, incoming, cache, tries };
}

/** Metrics of what users see: attempts, waiting and victims. */
function createOuterMetrics(metrics: Metrics) {
  const attempts = metrics.tally({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
  });
  const duration = metrics.talliedHistogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const sli = metrics.talliedHistogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue.',
    buckets: exponentialBuckets(0.01, 2, 20),
  });
  const victims = metrics.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims',
    buckets: exponentialBuckets(1, 2, 7),
  });
  const pending = metrics.gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pending pods, by the queue type.',
    labels: ['queue'],
  });
  return { attempts, duration, sli, victims, pending };
}

type Labels = Readonly<Record<string, string>>;

/** What `make` gives for some labels, which are looked up once. */
function kept<T>(make: (labels: Labels) => T): (name: string, labels: () => Labels) => T {
  const known = new Map<string, T>();
  return (name, labels) => {
    let found = known.get(name);
    if (!found) known.set(name, (found = make(labels())));
    return found;
  };
}

/** Metrics with upstream's names. */
export function createSchedulerMeters(metrics: Metrics): SchedulerMeters {
  const { points, algorithm, preemptions, incoming, cache, tries } = createInnerMetrics(metrics);
  const { attempts, duration, sli, victims, pending } = createOuterMetrics(metrics);
  const details = createDetailMeters(metrics);
  const pointOf = kept((labels) => points.of(labels));
  const attemptOf = kept((labels) => attempts.of(labels));
  const durationOf = kept((labels) => duration.of(labels));
  const sliOf = kept((labels) => sli.of(labels));
  const [algorithmTook, triesOf] = [algorithm.of({}), tries.of({})];
  return {
    ...details,
    point(point, { code }, profile, seconds) {
      const labels = (): Labels => ({ extension_point: point, status: code, profile });
      pointOf(`${point} ${code} ${profile}`, labels)(seconds);
    },
    algorithm(seconds) {
      algorithmTook(seconds);
    },
    attempted() {
      preemptions.inc();
    },
    incoming(queue, event) {
      incoming.inc({ queue, event });
    },
    cacheSize(type, size) {
      cache.set({ type }, size);
    },
    attempt(result, profile, seconds) {
      const [name, labels] = [`${result} ${profile}`, (): Labels => ({ result, profile })];
      attemptOf(name, labels)();
      durationOf(name, labels)(seconds);
    },
    bound(pod, seconds) {
      triesOf(pod.attempts);
      const attempts = pod.attempts > 15 ? '15+' : String(pod.attempts);
      sliOf(attempts, () => ({ attempts }))(seconds);
      if (pod.flushed) details.boundAfterFlush();
    },
    preempted(count) {
      victims.observe(count);
    },
    sizes(sizes) {
      for (const [queue, size] of Object.entries(sizes)) pending.set({ queue }, size);
    },
  };
}
