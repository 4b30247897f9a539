import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { FrameworkMeters } from '../framework/framework.js';
import type { DeviceWait } from '../framework/plugin.js';

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

/** Metrics of single plugins, events and waits (k8s pkg/scheduler/metrics/metrics.go). */
export interface DetailMeters extends Omit<FrameworkMeters, 'now'> {
  eventHandled(event: string, seconds: number): void;
  /** A pod found its node after it had been taken from the unschedulable ones for its long wait alone. */
  boundAfterFlush(): void;
  preemption(result: 'success' | 'error', seconds: number): void;
  deviceWait(wait: DeviceWait): void;
  /** To be called once: what is counted when somebody asks. */
  watch(counted: Counted): void;
}

/** Values by name and labels, each looked up once. */
function keptBy(
  make: (labels: Record<string, string>) => (value: number) => void,
): (labels: Record<string, string>, value: number) => void {
  const known = new Map<string, (value: number) => void>();
  return (labels, value) => {
    const key = Object.values(labels).join(' ');
    let found = known.get(key);
    if (!found) known.set(key, (found = make(labels)));
    found(value);
  };
}

function createGauges(metrics: Metrics): Pick<DetailMeters, 'watch'> {
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

function createWaits(
  metrics: Metrics,
): Pick<DetailMeters, 'permitted' | 'preemption' | 'deviceWait'> {
  const permit = metrics.histogram({
    name: 'scheduler_permit_wait_duration_seconds',
    help: 'Duration of waiting on permit.',
    labels: ['result'],
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const preemptions = metrics.counter({
    name: 'scheduler_preemption_goroutines_execution_total',
    help: 'Number of preemption goroutines executed.',
    labels: ['result'],
  });
  const preempting = metrics.histogram({
    name: 'scheduler_preemption_goroutines_duration_seconds',
    help: 'Duration in seconds for running goroutines for the preemption.',
    labels: ['result'],
    buckets: exponentialBuckets(0.01, 2, 20),
  });
  const device = ['profile', 'driver', 'status'] as const;
  const allocations = metrics.counter({
    name: 'scheduler_dra_bindingconditions_allocations_total',
    help: 'Number of allocations using devices with BindingConditions, counted per driver per scheduling attempt',
    labels: device,
  });
  const attaching = metrics.histogram({
    name: 'scheduler_dra_bindingconditions_wait_duration_seconds',
    help: 'Time in seconds spent waiting for BindingConditions to be satisfied during PreBind.',
    labels: device,
    buckets: exponentialBuckets(0.1, 2, 14),
  });
  return {
    permitted: (result, seconds) => {
      permit.observe({ result }, seconds);
    },
    preemption: (result, seconds) => {
      preemptions.inc({ result });
      preempting.observe({ result }, seconds);
    },
    deviceWait: ({ seconds, ...labels }) => {
      allocations.inc({ ...labels });
      attaching.observe({ ...labels }, seconds);
    },
  };
}

export function createDetailMeters(metrics: Metrics): DetailMeters {
  const events = metrics.talliedHistogram({
    name: 'scheduler_event_handling_duration_seconds',
    help: 'Event handling latency in seconds.',
    buckets: exponentialBuckets(0.0001, 2, 12),
  });
  const hints = metrics.talliedHistogram({
    name: 'scheduler_queueing_hint_execution_duration_seconds',
    help: 'Duration for running a queueing hint function of a plugin.',
    buckets: exponentialBuckets(0.00001, 1.5, 20),
  });
  const flushed = metrics.counter({
    name: 'scheduler_pod_scheduled_after_flush_total',
    help: 'Number of pods that were successfully scheduled after being flushed from unschedulablePods due to timeout. This metric helps detect potential queueing hint misconfigurations or event handling issues.',
  });
  const eventTook = keptBy((labels) => events.of(labels));
  const hintTook = keptBy((labels) => hints.of(labels));
  return {
    ...createGauges(metrics),
    ...createWaits(metrics),
    eventHandled: (event, seconds) => {
      eventTook({ event }, seconds);
    },
    hinted: (plugin, event, helps, seconds) => {
      hintTook({ plugin, event, hint: helps ? 'Queue' : 'QueueSkip' }, seconds);
    },
    boundAfterFlush: () => {
      flushed.inc();
    },
  };
}
