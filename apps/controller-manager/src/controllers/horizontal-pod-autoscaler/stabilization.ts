import type { Behavior } from './scaling-rules.js';

/** What the metrics proposed at a time, before any limit. */
export interface Recommendation {
  readonly replicas: number;
  readonly at: number;
}

export interface Stabilized {
  readonly replicas: number;
  /** Reason and message of AbleToScale, where earlier recommendations decided. */
  readonly reason: string;
  readonly message: string;
}

const UP = {
  reason: 'ScaleUpStabilized',
  message:
    'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const DOWN = {
  reason: 'ScaleDownStabilized',
  message:
    'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const READY = {
  reason: 'ReadyForNewScale',
  message: 'recommended size matches current size',
};

/**
 * Pure: the count that no recommendation of the upscale window lies below and none of the downscale window above, as near
 * to the current one as that allows (k8s podautoscaler/horizontal.go: stabilizeRecommendationWithBehaviors).
 */
export function stabilize(
  current: number,
  desired: number,
  recent: readonly Recommendation[],
  { behavior: { up, down }, now }: { readonly behavior: Behavior; readonly now: number },
): Stabilized {
  const within = (windowMs: number): number[] =>
    recent.filter(({ at }) => at > now - windowMs).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...within(up.windowMs));
  const highest = Math.max(desired, ...within(down.windowMs));
  const replicas = Math.min(Math.max(current, lowest), highest);
  if (replicas === desired) return { replicas, ...READY };
  return { replicas, ...(desired >= current ? UP : DOWN) };
}

/** Pure: the highest recommendation of the downscale window, for an autoscaler without a behaviour. */
export function stabilizeDown(
  desired: number,
  recent: readonly Recommendation[],
  { windowMs, now }: { readonly windowMs: number; readonly now: number },
): Stabilized {
  const within = recent.filter(({ at }) => at >= now - windowMs).map(({ replicas }) => replicas);
  const replicas = Math.max(desired, ...within);
  return { replicas, ...(replicas === desired ? READY : DOWN) };
}
