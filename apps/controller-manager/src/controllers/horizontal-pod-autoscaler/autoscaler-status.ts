import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '@orrery/api';
import { toTime } from '@orrery/component';

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';

/** The status that one look at an autoscaler comes to. */
export class AutoscalerStatus {
  private conditions: readonly HorizontalPodAutoscalerCondition[];
  private counts: Partial<HorizontalPodAutoscalerStatus>;

  constructor(
    hpa: HorizontalPodAutoscaler,
    private readonly now: number,
  ) {
    const { conditions = [], ...counts } = hpa.status ?? { desiredReplicas: 0 };
    this.conditions = conditions;
    this.counts = counts;
  }

  /** Sets a condition; its transition time stays while its status does. */
  set(type: ConditionType, isTrue: boolean, reason: string, message: string): void {
    const status = isTrue ? 'True' : 'False';
    const old = this.conditions.find((condition) => condition.type === type);
    const lastTransitionTime =
      old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : toTime(this.now);
    const next = { type, status, lastTransitionTime, reason, message };
    this.conditions = old
      ? this.conditions.map((condition) => (condition === old ? next : condition))
      : [...this.conditions, next];
  }

  /** What the target has; the metrics of before stay when none are given. */
  current(replicas: number, metrics?: readonly MetricStatus[]): void {
    const { currentMetrics: before, ...counts } = this.counts;
    const currentMetrics = metrics ?? before;
    this.counts = {
      ...counts,
      currentReplicas: replicas,
      ...(currentMetrics && currentMetrics.length > 0
        ? { currentMetrics: [...currentMetrics] }
        : {}),
    };
  }

  desired(replicas: number, scaled: boolean): void {
    const lastScaleTime = scaled ? { lastScaleTime: toTime(this.now) } : {};
    this.counts = { ...this.counts, desiredReplicas: replicas, ...lastScaleTime };
  }

  build(): HorizontalPodAutoscalerStatus {
    const { desiredReplicas = 0, ...counts } = this.counts;
    return { ...counts, desiredReplicas, conditions: [...this.conditions] };
  }
}
