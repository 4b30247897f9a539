import type { Clock } from '@orrery/component';
import type { PodMetrics } from './pod-metrics.js';

/** Why a worker takes a step (k8s pkg/kubelet/types/pod_update.go:SyncPodType). */
export type StepCause = 'create' | 'update' | 'sync' | 'kill';

/** What one worker's steps take, from the moment that they are due (k8s pkg/kubelet/pod_workers.go:podWorkerLoop). */
export class WorkerTimes {
  private readonly seenMs: number;
  private cause: StepCause | undefined = 'create';
  private sinceMs: number;
  private isFirst = true;

  constructor(
    private readonly clock: Clock,
    private readonly metrics: PodMetrics | undefined,
  ) {
    this.seenMs = clock.monotonic();
    this.sinceMs = this.seenMs;
  }

  /** A step is due; of several causes the first is told, but for an end, which comes before all. */
  due(cause: StepCause): void {
    if (this.cause === undefined) this.sinceMs = this.clock.monotonic();
    if (this.cause === undefined || cause === 'kill') this.cause = cause;
  }

  /** A step begins; the result is to be called when it has ended. */
  begin(): () => void {
    this.due('sync');
    if (this.isFirst) this.metrics?.workerStart.observe(this.secondsSince(this.seenMs));
    this.isFirst = false;
    const { cause = 'sync', sinceMs } = this;
    this.cause = undefined;
    return () => {
      this.metrics?.workerDuration.observe({ operation_type: cause }, this.secondsSince(sinceMs));
    };
  }

  /** The pod runs, which was pending. */
  running(): void {
    this.metrics?.start.observe(this.secondsSince(this.seenMs));
  }

  private secondsSince(ms: number): number {
    return (this.clock.monotonic() - ms) / 1000;
  }
}
