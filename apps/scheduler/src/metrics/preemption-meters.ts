import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { byLabels } from './by-labels.js';

export interface PreemptionMeters {
  /** A preemption is tried. */
  attempted(): void;
  preempted(victims: number): void;
  /** What a preemption asked for is written, or not. */
  preemption(result: 'success' | 'error', seconds: number): void;
}

export function createPreemptionMeters(metrics: Metrics): PreemptionMeters {
  const attempts = metrics.counter({
    name: 'scheduler_preemption_attempts_total',
    help: 'Total preemption attempts in the cluster till now',
  });
  const victims = metrics.histogram({
    name: 'scheduler_preemption_victims',
    help: 'Number of selected preemption victims',
    buckets: exponentialBuckets(1, 2, 7),
  });
  const executions = metrics.tally({
    name: 'scheduler_preemption_goroutines_execution_total',
    help: 'Number of preemption goroutines executed.',
  });
  const durations = metrics.talliedHistogram({
    name: 'scheduler_preemption_goroutines_duration_seconds',
    help: 'Duration in seconds for running goroutines for the preemption.',
    buckets: exponentialBuckets(0.01, 2, 20),
  });
  const executed = byLabels(['result'], (labels) => executions.of(labels));
  const took = byLabels(['result'], (labels) => durations.of(labels));
  return {
    attempted() {
      attempts.inc();
    },
    preempted(count) {
      victims.observe(count);
    },
    preemption(result, seconds) {
      executed(result)();
      took(result)(seconds);
    },
  };
}
