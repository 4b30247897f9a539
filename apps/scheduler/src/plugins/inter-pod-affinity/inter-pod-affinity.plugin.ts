import { validateConfig } from '@orrery/component';
import { IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import type { NodeInfo } from '../../cache/node-info.js';
import type { NamespaceLabels } from '../../framework/affinity-terms.js';
import { StateKey } from '../../framework/cycle-state.js';
import type { PluginEntry } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { skip, success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import type { TopologyCounts } from '../../framework/topology-counts.js';
import { cloneCounts, countPod, countRequired, matchesAll } from './affinity-counts.js';
import type { RequiredCounts } from './affinity-counts.js';
import { normalizeBetween, scoreNode, sumPreferred } from './affinity-scores.js';

const NAME = 'InterPodAffinity';

class InterPodAffinityArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsInt() @Min(0) @Max(100) hardPodAffinityWeight: number = 1;
  @IsOptional() @IsBoolean() ignorePreferredTermsOfExistingPods: boolean = false;
}

const required = new StateKey<RequiredCounts>(`${NAME}/required`, cloneCounts);
const preferred = new StateKey<TopologyCounts>(`${NAME}/preferred`);

/** Every affinity term finds a pod in the node's topology; the first of a group needs no other. */
function hasCompany(
  counts: RequiredCounts,
  pod: PodInfo,
  node: NodeInfo,
  labels: NamespaceLabels,
): boolean {
  const terms = pod.affinity?.requiredAffinity ?? [];
  if (terms.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return false;
  const found = terms.every(
    ({ topologyKey }) => counts.affinity.get(topologyKey, node.labels[topologyKey]) > 0,
  );
  return found || (counts.affinity.isEmpty && matchesAll(terms, pod, labels));
}

/** The verdict on one node. */
export function checkAffinity(
  counts: RequiredCounts,
  pod: PodInfo,
  node: NodeInfo,
  labels: NamespaceLabels,
): Status {
  if (!hasCompany(counts, pod, node, labels))
    return unresolvable("node(s) didn't match pod affinity rules");
  for (const { topologyKey } of pod.affinity?.requiredAntiAffinity ?? [])
    if (counts.antiAffinity.get(topologyKey, node.labels[topologyKey]) > 0)
      return unschedulable("node(s) didn't match pod anti-affinity rules");
  for (const key of counts.existingAnti.keys())
    if (counts.existingAnti.get(key, node.labels[key]) > 0)
      return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
  return success;
}

/** Pods that want to be near, or far from, other pods. */
export const interPodAffinity: PluginEntry = {
  name: NAME,
  weight: 2,
  create({ nodes, listers }, args) {
    const settings = validateConfig(InterPodAffinityArgs, args ?? {}, 'InterPodAffinityArgs');
    const labels: NamespaceLabels = (name) =>
      listers.namespaces.get({ name })?.metadata.labels ?? {};
    return {
      name: NAME,
      events: [
        { on: ['AssignedPodAdd', 'AssignedPodUpdate', 'AssignedPodDelete', 'Namespace'] },
        { on: ['NodeAdd', 'NodeLabel'] },
      ],
      preFilter(state, pod) {
        const counts = countRequired(pod, nodes, labels);
        const { requiredAffinity, requiredAntiAffinity } = pod.affinity ?? {};
        if (
          counts.existingAnti.isEmpty &&
          !requiredAffinity?.length &&
          !requiredAntiAffinity?.length
        )
          return { status: skip };
        state.set(required, counts);
        return { status: success };
      },
      addPod(state, pod, added, node) {
        const counts = state.get(required);
        if (counts) countPod(counts, pod, { pod: added, node, by: 1 }, labels);
      },
      removePod(state, pod, removed, node) {
        const counts = state.get(required);
        if (counts) countPod(counts, pod, { pod: removed, node, by: -1 }, labels);
      },
      filter(state, pod, node) {
        const counts = state.get(required);
        return counts ? checkAffinity(counts, pod, node, labels) : success;
      },
      preScore(state, pod) {
        const totals = sumPreferred(pod, nodes, labels, {
          hardWeight: settings.hardPodAffinityWeight,
          ignorePreferredTermsOfExistingPods: settings.ignorePreferredTermsOfExistingPods,
        });
        if (totals.isEmpty) return skip;
        state.set(preferred, totals);
        return success;
      },
      score(state, _pod, node) {
        const totals = state.get(preferred);
        return totals ? scoreNode(totals, node) : 0;
      },
      normalize(_state, _pod, scores) {
        normalizeBetween(scores);
      },
    };
  },
};
