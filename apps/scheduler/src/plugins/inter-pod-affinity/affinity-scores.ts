import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import type { TermKind } from '../../cache/term-counts.js';
import { termMatches } from '../../framework/affinity-terms.js';
import type { AffinityTerm, NamespaceLabels } from '../../framework/affinity-terms.js';
import { namespacesOf } from './affinity-counts.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { TopologyCounts } from '../../framework/topology-counts.js';

const none: readonly AffinityTerm[] = [];

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
  const totals = new TopologyCounts();
  const { preferredAffinity = none, preferredAntiAffinity = none } = pod.affinity ?? {};
  const hasOwn = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0;
  const own = (terms: readonly AffinityTerm[], sign: 1 | -1): void => {
    for (const term of terms) {
      const found = nodes.counts({
        key: `term ${term.podsKey}`,
        ...namespacesOf([term]),
        matches: (other) => termMatches(term, other.pod, labels),
      });
      totals.include(term.topologyKey, found.in(term.topologyKey), sign * term.weight);
    }
  };
  own(preferredAffinity, 1);
  own(preferredAntiAffinity, -1);
  if (settings.ignorePreferredTermsOfExistingPods && !hasOwn) return totals;
  const others = (kind: TermKind, toWeight: (term: AffinityTerm) => number): void => {
    for (const { term, pods } of nodes.terms.of(kind))
      if (termMatches(term, pod.pod, labels))
        totals.include(term.topologyKey, pods.in(term.topologyKey), toWeight(term));
  };
  others('requiredAffinity', () => settings.hardWeight);
  others('preferredAffinity', ({ weight }) => weight);
  others('preferredAntiAffinity', ({ weight }) => -weight);
  return totals;
}

export function scoreNode(totals: TopologyCounts, node: NodeInfo): number {
  let score = 0;
  for (const key of totals.keys()) score += totals.get(key, node.labels[key]);
  return score;
}

/** Stretches to 0..100; the worst is 0. */
export function normalizeBetween(scores: number[]): void {
  let least = Infinity;
  let most = -Infinity;
  for (const score of scores) {
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  for (const [i, score] of scores.entries())
    scores[i] = most > least ? Math.trunc((MAX_SCORE * (score - least)) / (most - least)) : 0;
}
