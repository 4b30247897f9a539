import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { PodDisruptionBudget } from '../../framework/listed-kinds.js';
import type { PodInfo } from '../../framework/pod-info.js';

export interface Split {
  readonly violating: readonly PodInfo[];
  readonly allowed: readonly PodInfo[];
}

/** Which of the pods, taken in this order, their budgets would not let go (k8s preemption.go:filterPodsWithPDBViolation). */
export function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): Split {
  const left = budgets.map((budget) => ({
    budget,
    selector: labelSelectorMatcher(budget.spec?.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  const violating: PodInfo[] = [];
  const allowed: PodInfo[] = [];
  for (const pod of pods) {
    const { labels } = pod.pod.metadata;
    let violates = false;
    for (const each of left) {
      const { metadata, status } = each.budget;
      if (metadata.namespace !== pod.namespace || !labels || each.selector.empty) continue;
      if (!each.selector.matches(labels) || status?.disruptedPods?.[pod.name]) continue;
      each.allowed -= 1;
      if (each.allowed < 0) violates = true;
    }
    (violates ? violating : allowed).push(pod);
  }
  return { violating, allowed };
}
