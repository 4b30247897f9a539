import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { QueueSizes } from '../queue/scheduling-queue.js';
import { byLabels } from './by-labels.js';

/** What is counted as it is asked for. */
export interface Counted {
  /** Events that are kept for pods in flight, by name. */
  readonly events: () => ReadonlyMap<string, number>;
  /** Pods that wait, with the plugins that refused them. */
  readonly refused: () => Iterable<{
    readonly profile: string;
    readonly plugins: Iterable<string>;
  }>;
  /** Bindings that are being written. */
  readonly bindings: () => number;
}

export interface QueueMeters {
  sizes(sizes: QueueSizes): void;
  incoming(queue: 'active' | 'backoff' | 'unschedulable', event: string): void;
  eventHandled(event: string, seconds: number): void;
  cacheSize(type: 'nodes' | 'pods' | 'assumed_pods', size: number): void;
  /** To be called once: what is counted when somebody asks. */
  watch(counted: Counted): void;
}

/** Gauges that are filled when they are asked for. */
function createGauges(metrics: Metrics): Pick<QueueMeters, 'watch'> {
  let counted: Counted | undefined;
  metrics.gauge({
    name: 'scheduler_inflight_events',
    help: 'Number of events currently tracked in the scheduling queue.',
    labels: ['event'],
    collect: (gauge) => {
      gauge.reset();
      for (const [event, count] of counted?.events() ?? []) gauge.set({ event }, count);
    },
  });
  metrics.gauge({
    name: 'scheduler_unschedulable_pods',
    help: 'The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.',
    labels: ['plugin', 'profile'],
    collect: (gauge) => {
      gauge.reset();
      for (const { profile, plugins } of counted?.refused() ?? [])
        for (const plugin of plugins) gauge.inc({ plugin, profile });
    },
  });
  metrics.gauge({
    name: 'scheduler_goroutines',
    help: 'Number of running goroutines split by the work they do such as binding.',
    labels: ['operation'],
    collect: (gauge) => {
      gauge.set({ operation: 'binding' }, counted?.bindings() ?? 0);
    },
  });
  return {
    watch: (given) => {
      counted = given;
    },
  };
}

/** Queues, what moves pods between them, and the cache. */
export function createQueueMeters(metrics: Metrics): QueueMeters {
  const pending = metrics.gauge({
    name: 'scheduler_pending_pods',
    help: 'Number of pending pods, by the queue type.',
    labels: ['queue'],
  });
  const incoming = metrics.tally({
    name: 'scheduler_queue_incoming_pods_total',
    help: 'Number of pods added to scheduling queues by event and queue type.',
  });
  const events = metrics.talliedHistogram({
    name: 'scheduler_event_handling_duration_seconds',
    help: 'Event handling latency in seconds.',
    buckets: exponentialBuckets(0.0001, 2, 12),
  });
  const cache = metrics.gauge({
    name: 'scheduler_cache_size',
    help: 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.',
    labels: ['type'],
  });
  const came = byLabels(['queue', 'event'], (labels) => incoming.of(labels));
  const handled = byLabels(['event'], (labels) => events.of(labels));
  return {
    ...createGauges(metrics),
    sizes(sizes) {
      for (const [queue, size] of Object.entries(sizes)) pending.set({ queue }, size);
    },
    incoming(queue, event) {
      came(queue, event)();
    },
    eventHandled(event, seconds) {
      handled(event)(seconds);
    },
    cacheSize(type, size) {
      cache.set({ type }, size);
    },
  };
}
