import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, Pod } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { EventRecorder, StatusWriter } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { AutoscalerMemory } from './autoscaler-memory.js';
import type { AutoscalerStatus } from './autoscaler-status.js';
import type {
  AutoscalerMeters,
  ScaleAction,
  ScaleError,
} from './horizontal-pod-autoscaler.metrics.js';
import type { MetricProposals } from './metric-proposals.js';
import { UnusableMetric } from './metric-proposals.js';
import type { ScaleTargets } from './scale-target.js';

/** The flags --horizontal-pod-autoscaler-*. */
export interface AutoscalerSettings {
  readonly syncPeriodMs: number;
  readonly tolerance: number;
  readonly downscaleWindowMs: number;
  readonly cpuInitializationMs: number;
  readonly initialReadinessMs: number;
}

export interface AutoscalerCaches {
  readonly autoscalers: Lister<HorizontalPodAutoscaler>;
  readonly pods: Lister<Pod>;
}

export interface AutoscalerTools {
  readonly scales: ScaleTargets;
  readonly proposals: MetricProposals;
  readonly memory: AutoscalerMemory;
  readonly status: StatusWriter<HorizontalPodAutoscalerStatus, HorizontalPodAutoscaler>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly meters: AutoscalerMeters;
}

/** One look at one autoscaler: what it found so far and where it says so. */
export interface Look {
  readonly hpa: HorizontalPodAutoscaler;
  readonly key: string;
  readonly now: number;
  readonly status: AutoscalerStatus;
  /** What came of it, for the metrics. */
  readonly outcome: { action: ScaleAction; error: ScaleError };
}

export interface Wanted {
  readonly replicas: number;
  /** Why the count changes, for the event. */
  readonly reason: string;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Whose fault an error is: only a metric of a type that there is none of is the autoscaler's own (errSpec). */
export function errorOf(error: unknown): ScaleError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const isOwn = cause instanceof UnusableMetric && cause.reason === 'InvalidMetricSourceType';
  return isOwn ? 'spec' : 'internal';
}
