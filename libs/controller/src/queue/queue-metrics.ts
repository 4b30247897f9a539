import type { Clock, Metrics } from '@orrery/component';

/** What a work queue tells of itself; names of k8s client-go util/workqueue/metrics.go. */
export class QueueMetrics {
  readonly #addedAt = new Map<string, number>();
  readonly #startedAt = new Map<string, number>();
  readonly #labels: { readonly name: string };

  constructor(
    name: string,
    private readonly clock: Clock,
    private readonly meters: QueueMeters,
  ) {
    this.#labels = { name };
    meters.depth.set(this.#labels, 0);
    meters.adds.inc(this.#labels, 0);
    meters.retries.inc(this.#labels, 0);
    meters.watch(this);
  }

  get name(): string {
    return this.#labels.name;
  }

  /** Seconds that the keys in work have been there, each. */
  running(): number[] {
    const now = this.clock.monotonic();
    return [...this.#startedAt.values()].map((at) => (now - at) / 1000);
  }

  added(key: string): void {
    this.meters.adds.inc(this.#labels);
    if (!this.#addedAt.has(key)) this.#addedAt.set(key, this.clock.monotonic());
  }

  retried(): void {
    this.meters.retries.inc(this.#labels);
  }

  depth(length: number): void {
    this.meters.depth.set(this.#labels, length);
  }

  started(key: string): void {
    const now = this.clock.monotonic();
    const addedAt = this.#addedAt.get(key);
    this.#addedAt.delete(key);
    this.#startedAt.set(key, now);
    if (addedAt !== undefined) this.meters.queued.observe(this.#labels, (now - addedAt) / 1000);
  }

  finished(key: string): void {
    const startedAt = this.#startedAt.get(key);
    this.#startedAt.delete(key);
    if (startedAt !== undefined)
      this.meters.worked.observe(this.#labels, (this.clock.monotonic() - startedAt) / 1000);
  }
}

interface Meter {
  inc(labels: { name: string }, by?: number): void;
}

/** The metrics that the queues of one process share. */
export interface QueueMeters {
  readonly adds: Meter;
  readonly retries: Meter;
  readonly depth: { set(labels: { name: string }, value: number): void };
  readonly queued: { observe(labels: { name: string }, value: number): void };
  readonly worked: { observe(labels: { name: string }, value: number): void };
  /** Tells of this queue's unfinished work, too. */
  watch(queue: QueueMetrics): void;
}

const BUCKETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];

/** Registers the queue metrics; once per registry. */
export function createQueueMeters(metrics: Metrics): QueueMeters {
  const labels = ['name'] as const;
  const queues = new Map<string, QueueMetrics>();
  metrics.gauge({
    name: 'workqueue_unfinished_work_seconds',
    help: "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
    labels,
    collect: (gauge) => {
      for (const [name, queue] of queues)
        gauge.set(
          { name },
          queue.running().reduce((sum, seconds) => sum + seconds, 0),
        );
    },
  });
  metrics.gauge({
    name: 'workqueue_longest_running_processor_seconds',
    help: 'How many seconds has the longest running processor for workqueue been running.',
    labels,
    collect: (gauge) => {
      for (const [name, queue] of queues) gauge.set({ name }, Math.max(0, ...queue.running()));
    },
  });
  return {
    watch: (queue) => {
      queues.set(queue.name, queue);
    },
    adds: metrics.counter({
      name: 'workqueue_adds_total',
      help: 'Total number of adds handled by workqueue',
      labels,
    }),
    retries: metrics.counter({
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue',
      labels,
    }),
    depth: metrics.gauge({
      name: 'workqueue_depth',
      help: 'Current depth of workqueue',
      labels,
    }),
    queued: metrics.histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested.',
      labels,
      buckets: BUCKETS,
    }),
    worked: metrics.histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      labels,
      buckets: BUCKETS,
    }),
  };
}
