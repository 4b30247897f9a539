import type { Pod } from '@orrery/api';
import { isReady, podCondition } from '../../pods/pod-state.js';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

type Comparison = (a: Pod, b: Pod) => number;

const falseFirst = (a: boolean, b: boolean): number => Number(a) - Number(b);

const phaseOf = (pod: Pod): number => PHASES[pod.status?.phase ?? ''] ?? 0;

/** What the annotation says it costs to delete the pod; a value that is none counts as 0. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST] ?? '0';
  return /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

const readySince = (pod: Pod): number =>
  Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '') || 0;

const createdAt = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '') || 0;

const restarts = (pod: Pod): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));

/** Younger first; ages of the same power of two count as equal, so that the choice among them is by chance (uid). */
function youngerFirst(a: number, b: number, now: number): number {
  if (a === 0 || b === 0) return a === b ? 0 : a === 0 ? -1 : 1;
  const bucket = (at: number): number => Math.floor(Math.log2(Math.max(now - at, 1) * 1e6));
  return bucket(a) - bucket(b);
}

/**
 * Orders pods from the first to delete to the last (k8s pkg/controller/controller_utils.go:
 * ActivePodsWithRanks.Less). `rank` counts a pod's siblings on its node: the crowded go first.
 */
export function byDeletionPreference(rank: (pod: Pod) => number, now: number): Comparison {
  const rules: readonly Comparison[] = [
    (a, b) => falseFirst(Boolean(a.spec?.nodeName), Boolean(b.spec?.nodeName)),
    (a, b) => phaseOf(a) - phaseOf(b),
    (a, b) => falseFirst(isReady(a), isReady(b)),
    (a, b) => deletionCost(a) - deletionCost(b),
    (a, b) => rank(b) - rank(a),
    (a, b) => (isReady(a) && isReady(b) ? youngerFirst(readySince(a), readySince(b), now) : 0),
    (a, b) => restarts(b) - restarts(a),
    (a, b) => youngerFirst(createdAt(a), createdAt(b), now),
    (a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1),
  ];
  return (a, b) => {
    for (const rule of rules) {
      const order = rule(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** The rank of each pod: how many of `related`, which are active, sit on its node. */
export function rankByNode(related: readonly Pod[]): (pod: Pod) => number {
  const counts = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName;
    if (node) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return (pod) => counts.get(pod.spec?.nodeName ?? '') ?? 0;
}
