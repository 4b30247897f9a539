import type { NodeCounts } from '../../cache/node-counts.js';
import type { NodeInfo } from '../../cache/node-info.js';
import type { CountedPods } from '../../cache/pod-counts.js';
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

/** The only namespaces of which pods can match, when the terms name them. */
export function namespacesOf(terms: readonly AffinityTerm[]): Pick<CountedPods, 'namespaces'> {
  const [first] = terms;
  const open = ({ namespaceSelector }: AffinityTerm): boolean =>
    namespaceSelector.empty || namespaceSelector.requirements.length > 0;
  return first && !open(first) ? { namespaces: first.namespaces } : {};
}

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

/** Where the pods are that all of these terms select. */
function countMatching(
  terms: readonly AffinityTerm[],
  nodes: NodeInfos,
  labels: NamespaceLabels,
): NodeCounts {
  return nodes.counts({
    key: `terms ${terms.map(({ podsKey }) => podsKey).join(' & ')}`,
    ...namespacesOf(terms),
    matches: (pod) => matchesAll(terms, pod, labels),
  });
}

/** The counts that the cache keeps, not copied. */
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
  for (const { term, pods } of nodes.terms.of('requiredAntiAffinity'))
    if (termMatches(term, pod.pod, labels))
      counts.existingAnti.include(term.topologyKey, pods.in(term.topologyKey));
  if (requiredAffinity.length > 0) {
    const matching = countMatching(requiredAffinity, nodes, labels);
    for (const { topologyKey } of requiredAffinity)
      counts.affinity.include(topologyKey, matching.in(topologyKey));
  }
  for (const term of requiredAntiAffinity) {
    const matching = countMatching([term], nodes, labels);
    counts.antiAffinity.include(term.topologyKey, matching.in(term.topologyKey));
  }
  return counts;
}
