import type { HPAScalingRules } from '@orrery/api';

/** A change of the replica count that was made: by how much and when (ms since the epoch). */
export interface ScaleEvent {
  readonly change: number;
  readonly at: number;
}

export interface ScaleHistory {
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}

/** Scaling rules with every default in place. */
export interface Rules {
  readonly windowMs: number;
  readonly select: string;
  readonly policies: readonly {
    readonly type: string;
    readonly value: number;
    readonly periodMs: number;
  }[];
}

export interface Behavior {
  readonly up: Rules;
  readonly down: Rules;
}

/** A count within the limits, and which of them bound it; reasons of the condition ScalingLimited. */
export interface Limited {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

export interface Bounds {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
}

const WITHIN: Omit<Limited, 'replicas'> = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_FAST_UP: Omit<Limited, 'replicas'> = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const TOO_FAST_DOWN: Omit<Limited, 'replicas'> = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};
const TOO_MANY: Omit<Limited, 'replicas'> = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Omit<Limited, 'replicas'> = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};

/** The rules as the API server defaults them (k8s pkg/apis/autoscaling/v2/defaults.go). */
export function toRules(rules: HPAScalingRules | undefined, windowMs: number, up: boolean): Rules {
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 };
  const defaults = up ? [percent, { type: 'Pods', value: 4, periodSeconds: 15 }] : [percent];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies } = rules ?? {};
  return {
    windowMs: seconds === undefined ? windowMs : seconds * 1000,
    select: selectPolicy ?? 'Max',
    policies: (policies ?? defaults).map(({ type, value, periodSeconds }) => ({
      type,
      value,
      periodMs: periodSeconds * 1000,
    })),
  };
}

export const longestPeriodMs = ({ policies }: Rules): number =>
  Math.max(0, ...policies.map(({ periodMs }) => periodMs));

const changeWithin = (events: readonly ScaleEvent[], periodMs: number, now: number): number =>
  events.filter(({ at }) => at > now - periodMs).reduce((sum, { change }) => sum + change, 0);

/**
 * How far the count may go now: the policies' proposals from the count at the start of each period, the boldest or the
 * most careful of them (k8s podautoscaler/horizontal.go: calculateScaleUpLimitWithScalingRules).
 */
function rateLimit(
  { select, policies }: Rules,
  current: number,
  { ups, downs }: ScaleHistory,
  { sign, now }: { readonly sign: 1 | -1; readonly now: number },
): number {
  if (select === 'Disabled') return current;
  const proposals = policies.map(({ type, value, periodMs }) => {
    const start = current - changeWithin(ups, periodMs, now) + changeWithin(downs, periodMs, now);
    if (type === 'Pods') return start + sign * value;
    const exact = start * (1 + (sign * value) / 100);
    return sign > 0 ? Math.ceil(exact) : Math.trunc(exact);
  });
  const wantsMost = (select !== 'Min') === sign > 0;
  return wantsMost ? Math.max(...proposals) : Math.min(...proposals);
}

/** Pure: the desired count within minimum, maximum and the behaviour's rates. */
export function limitByBehavior(
  { current, desired, min, max }: Bounds,
  behavior: Behavior,
  history: ScaleHistory,
  now: number,
): Limited {
  if (desired > current) {
    const limit = Math.max(rateLimit(behavior.up, current, history, { sign: 1, now }), current);
    const most = Math.min(max, limit);
    if (desired > most) return { replicas: most, ...(max > limit ? TOO_FAST_UP : TOO_MANY) };
  } else if (desired < current) {
    const limit = Math.min(rateLimit(behavior.down, current, history, { sign: -1, now }), current);
    const least = Math.max(min, limit);
    if (desired < least) return { replicas: least, ...(min < limit ? TOO_FAST_DOWN : TOO_FEW) };
  }
  return { replicas: desired, ...WITHIN };
}

/** Pure: the same for an autoscaler without a behaviour: at most the double, or four (convertDesiredReplicasWithRules). */
export function limitByDefault({ current, desired, min, max }: Bounds): Limited {
  const limit = Math.max(2 * current, 4);
  const most = Math.min(max, limit);
  if (desired < min) return { replicas: min, ...TOO_FEW };
  if (desired > most) return { replicas: most, ...(max > limit ? TOO_FAST_UP : TOO_MANY) };
  return { replicas: desired, ...WITHIN };
}
