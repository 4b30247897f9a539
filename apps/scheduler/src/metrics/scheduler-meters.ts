import type { Metrics } from '@orrery/component';
import { createAttemptMeters } from './attempt-meters.js';
import type { AttemptMeters } from './attempt-meters.js';
import { createPluginMeters } from './plugin-meters.js';
import type { AllPluginMeters } from './plugin-meters.js';
import { createPreemptionMeters } from './preemption-meters.js';
import type { PreemptionMeters } from './preemption-meters.js';
import { createQueueMeters } from './queue-meters.js';
import type { QueueMeters } from './queue-meters.js';

export type SchedulerMeters = AttemptMeters & QueueMeters & AllPluginMeters & PreemptionMeters;

/** Metrics with upstream's names (k8s pkg/scheduler/metrics/metrics.go). */
export const createSchedulerMeters = (metrics: Metrics): SchedulerMeters => ({
  ...createAttemptMeters(metrics),
  ...createQueueMeters(metrics),
  ...createPluginMeters(metrics),
  ...createPreemptionMeters(metrics),
});
