import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '@orrery/api';
import { scaledValue } from '@orrery/api';
import { toTime } from '@orrery/component';

/** Time after an eviction within which its pod is taken to be going (k8s pkg/controller/disruption DeletionTimeout). */
const DELETION_TIMEOUT_MS = 2 * 60_000;

/** What a budget is judged from. */
export interface BudgetView {
  readonly budget: PodDisruptionBudget;
  /** Pods that its selector matches. */
  readonly pods: readonly Pod[];
  /** Replicas that the controllers of these pods want in all, or why nobody knows. */
  readonly scale: number | { readonly problem: string };
  readonly now: number;
}

interface Wanted {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** k8s pkg/controller/disruption/disruption.go:getExpectedPodCount; undefined when the scale is needed and unknown. */
function wanted({ budget, pods, scale }: BudgetView): Wanted | undefined {
  const { minAvailable, maxUnavailable } = budget.spec;
  if (typeof minAvailable === 'number')
    return { expectedPods: pods.length, desiredHealthy: minAvailable };
  if (minAvailable === undefined && maxUnavailable === undefined)
    return { expectedPods: pods.length, desiredHealthy: 1 };
  if (typeof scale !== 'number') return undefined;
  if (minAvailable !== undefined)
    return { expectedPods: scale, desiredHealthy: scaledValue(minAvailable, scale) };
  const unavailable = scaledValue(maxUnavailable, scale);
  return { expectedPods: scale, desiredHealthy: Math.max(0, scale - unavailable) };
}

/** Evictions whose pods are still there and not yet marked as going. */
function pendingDisruptions({ budget, pods, now }: BudgetView): Record<string, string> {
  const entries = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, time]) => {
    const pod = pods.find((candidate) => candidate.metadata.name === name);
    return (
      pod !== undefined &&
      pod.metadata.deletionTimestamp === undefined &&
      now - Date.parse(time) < DELETION_TIMEOUT_MS
    );
  });
  return Object.fromEntries(entries);
}

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

function verdictOf(allowed: number): Verdict {
  return allowed > 0
    ? { status: 'True', reason: 'SufficientPods', message: '' }
    : { status: 'False', reason: 'InsufficientPods', message: '' };
}

function withCondition(view: BudgetView, verdict: Verdict): Condition[] {
  const { budget, now } = view;
  const old = budget.status?.conditions?.find((c) => c.type === 'DisruptionAllowed');
  const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : toTime(now);
  return [
    {
      type: 'DisruptionAllowed',
      ...verdict,
      observedGeneration: budget.metadata.generation ?? 0,
      lastTransitionTime,
    },
  ];
}

/** What was known stays, but nothing may be evicted (disruption.go: failSafe). */
function failed(view: BudgetView): PodDisruptionBudgetStatus {
  const {
    currentHealthy = 0,
    desiredHealthy = 0,
    expectedPods = 0,
    ...known
  } = view.budget.status ?? {};
  const message = typeof view.scale === 'number' ? '' : view.scale.problem;
  return {
    ...known,
    disruptionsAllowed: 0,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(view, { status: 'False', reason: 'SyncFailed', message }),
  };
}

/** Whether the status can be told without the scale of controllers. */
export const needsScale = ({
  spec: { minAvailable, maxUnavailable },
}: PodDisruptionBudget): boolean =>
  maxUnavailable !== undefined || typeof minAvailable === 'string';

/** How many of a budget's pods may be evicted now. Pure. */
export function budgetStatus(view: BudgetView): PodDisruptionBudgetStatus {
  const target = wanted(view);
  if (!target) return failed(view);
  const disruptedPods = pendingDisruptions(view);
  const currentHealthy = view.pods.filter(
    (pod) =>
      isReady(pod) &&
      pod.metadata.deletionTimestamp === undefined &&
      disruptedPods[pod.metadata.name ?? ''] === undefined,
  ).length;
  const { expectedPods, desiredHealthy } = target;
  const spare = currentHealthy - desiredHealthy;
  const disruptionsAllowed = expectedPods > 0 && spare > 0 ? spare : 0;
  return {
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    observedGeneration: view.budget.metadata.generation ?? 0,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(view, verdictOf(disruptionsAllowed)),
  };
}
