import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import { termMatches } from '../../framework/affinity-terms.js';
import type { AffinityTerm, NamespaceLabels } from '../../framework/affinity-terms.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { TopologyCounts } from '../../framework/topology-counts.js';

/** What the required terms of a pod, and those of others about it, find in each topology. */
export interface RequiredCounts {
  /** Pods there whose anti-affinity forbids this one. */
  readonly existingAnti: TopologyCounts;
  /** Pods there that all affinity terms of this one select. */
  readonly affinity: TopologyCounts;
  /** Pods there that an anti-affinity term of this one selects. */
  readonly antiAffinity: TopologyCounts;
}

export const cloneCounts = (counts: RequiredCounts): RequiredCounts => ({
  existingAnti: counts.existingAnti.clone(),
  affinity: counts.affinity.clone(),
  antiAffinity: counts.antiAffinity.clone(),
});

const none: readonly AffinityTerm[] = [];

/** Whether each of the terms selects the pod; false without terms. */
export const matchesAll = (
  terms: readonly AffinityTerm[],
  pod: PodInfo,
  labels: NamespaceLabels,
): boolean => terms.length > 0 && terms.every((term) => termMatches(term, pod.pod, labels));

/** Counts `other`, a pod on `node`, in (1) or out (-1). */
export function countPod(
  counts: RequiredCounts,
  pod: PodInfo,
  other: { readonly pod: PodInfo; readonly node: NodeInfo; readonly by: 1 | -1 },
  labels: NamespaceLabels,
): void {
  const { node, by } = other;
  for (const term of other.pod.affinity?.requiredAntiAffinity ?? none)
    if (termMatches(term, pod.pod, labels))
      counts.existingAnti.add(term.topologyKey, node.labels[term.topologyKey], by);
  const affinity = pod.affinity?.requiredAffinity ?? none;
  if (matchesAll(affinity, other.pod, labels))
    for (const { topologyKey } of affinity)
      counts.affinity.add(topologyKey, node.labels[topologyKey], by);
  for (const term of pod.affinity?.requiredAntiAffinity ?? none)
    if (termMatches(term, other.pod.pod, labels))
      counts.antiAffinity.add(term.topologyKey, node.labels[term.topologyKey], by);
}

/** Looks at all pods only when the pod has required terms itself. */
export function countRequired(
  pod: PodInfo,
  nodes: NodeInfos,
  labels: NamespaceLabels,
): RequiredCounts {
  const counts: RequiredCounts = {
    existingAnti: new TopologyCounts(),
    affinity: new TopologyCounts(),
    antiAffinity: new TopologyCounts(),
  };
  const { requiredAffinity = none, requiredAntiAffinity = none } = pod.affinity ?? {};
  const hasTerms = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0;
  for (const node of hasTerms ? nodes.list() : nodes.withRequiredAntiAffinity()) {
    const pods = hasTerms ? node.pods : node.podsWithRequiredAntiAffinity;
    for (const other of pods.values()) countPod(counts, pod, { pod: other, node, by: 1 }, labels);
  }
  return counts;
}
