import type { HorizontalPodAutoscaler } from '@orrery/api';
import type { AutoscalerSettings, AutoscalerTools, Look } from './look.js';
import type { Behavior, Limited } from './scaling-rules.js';
import { limitByBehavior, limitByDefault, toRules } from './scaling-rules.js';
import { stabilize, stabilizeDown } from './stabilization.js';

/** With upstream's defaults where the autoscaler says nothing. */
export function behaviorOf(
  { spec: { behavior } }: HorizontalPodAutoscaler,
  { downscaleWindowMs }: Pick<AutoscalerSettings, 'downscaleWindowMs'>,
): Behavior {
  return {
    up: toRules(behavior?.scaleUp, 0, true),
    down: toRules(behavior?.scaleDown, downscaleWindowMs, false),
  };
}

/** What windows, policies and bounds leave of a count that the metrics ask for; remembers what was asked for. */
export function limit(
  { hpa, key, now, status }: Look,
  { memory }: Pick<AutoscalerTools, 'memory'>,
  settings: AutoscalerSettings,
  { current, desired }: { readonly current: number; readonly desired: number },
): Limited {
  const recent = memory.recommendations(key);
  const { minReplicas: min = 1, maxReplicas: max } = hpa.spec;
  const behavior = hpa.spec.behavior ? behaviorOf(hpa, settings) : undefined;
  const windowMs = settings.downscaleWindowMs;
  const stable = behavior
    ? stabilize(current, desired, recent, { behavior, now })
    : stabilizeDown(desired, recent, { windowMs, now });
  const kept = behavior ? Math.max(behavior.up.windowMs, behavior.down.windowMs) : windowMs;
  memory.recommend(key, desired, now, kept);
  status.set('AbleToScale', true, stable.reason, stable.message);
  const bounds = { current, desired: stable.replicas, min, max };
  const limited = behavior
    ? limitByBehavior(bounds, behavior, memory.history(key), now)
    : limitByDefault(bounds);
  const isLimited = limited.replicas !== stable.replicas;
  status.set('ScalingLimited', isLimited, limited.reason, limited.message);
  return limited;
}
