import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import { termMatches } from '../../framework/affinity-terms.js';
import type { AffinityTerm, NamespaceLabels } from '../../framework/affinity-terms.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { NodeScore } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { TopologyCounts } from '../../framework/topology-counts.js';

interface Weighing {
  readonly totals: TopologyCounts;
  readonly labels: NamespaceLabels;
}

function weigh(
  { totals, labels }: Weighing,
  terms: readonly AffinityTerm[] | undefined,
  pod: PodInfo,
  node: NodeInfo,
  toWeight: (term: AffinityTerm) => number,
): void {
  for (const term of terms ?? [])
    if (termMatches(term, pod.pod, labels))
      totals.add(term.topologyKey, node.labels[term.topologyKey], toWeight(term));
}

export interface ScoreSettings {
  /** What a required affinity term of a pod that is there counts. */
  readonly hardWeight: number;
  readonly ignorePreferredTermsOfExistingPods: boolean;
}

/** The sum of weights in each topology: the pod's own preferred terms, and others' terms that select the pod. */
export function sumPreferred(
  pod: PodInfo,
  nodes: NodeInfos,
  labels: NamespaceLabels,
  settings: ScoreSettings,
): TopologyCounts {
  const own = pod.affinity;
  const hasOwn =
    (own?.preferredAffinity.length ?? 0) > 0 || (own?.preferredAntiAffinity.length ?? 0) > 0;
  const weighing = { totals: new TopologyCounts(), labels };
  const plus = (term: AffinityTerm): number => term.weight;
  const minus = (term: AffinityTerm): number => -term.weight;
  for (const node of hasOwn ? nodes.list() : nodes.withAffinity())
    for (const other of (hasOwn ? node.pods : node.podsWithAffinity).values()) {
      weigh(weighing, own?.preferredAffinity, other, node, plus);
      weigh(weighing, own?.preferredAntiAffinity, other, node, minus);
      const { affinity } = other;
      if (!affinity || (settings.ignorePreferredTermsOfExistingPods && !hasOwn)) continue;
      weigh(weighing, affinity.requiredAffinity, pod, node, () => settings.hardWeight);
      weigh(weighing, affinity.preferredAffinity, pod, node, plus);
      weigh(weighing, affinity.preferredAntiAffinity, pod, node, minus);
    }
  return weighing.totals;
}

export function scoreNode(totals: TopologyCounts, node: NodeInfo): number {
  let score = 0;
  for (const key of totals.keys()) score += totals.get(key, node.labels[key]);
  return score;
}

/** Stretches to 0..100; the worst is 0. */
export function normalizeBetween(scores: readonly NodeScore[]): void {
  let least = Infinity;
  let most = -Infinity;
  for (const { score } of scores) {
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  for (const each of scores)
    each.score = most > least ? Math.trunc((MAX_SCORE * (each.score - least)) / (most - least)) : 0;
}
