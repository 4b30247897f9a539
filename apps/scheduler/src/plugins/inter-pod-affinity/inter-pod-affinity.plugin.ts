import { invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { IsBoolean, IsInt, IsOptional, IsString } from 'class-validator';
import type { NodeInfo } from '../../cache/node-info.js';
import type { Node, Pod } from '@orrery/api';
import { affinityTermsOf, termMatches } from '../../framework/affinity-terms.js';
import type { NamespaceLabels } from '../../framework/affinity-terms.js';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { ClusterEvent } from '../../framework/cluster-event.js';
import { readArgs } from '../../framework/plugin-args.js';
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
  @IsOptional() @IsInt() hardPodAffinityWeight: number = 1;
  @IsOptional() @IsBoolean() ignorePreferredTermsOfExistingPods: boolean = false;
}

function checkArgs({ hardPodAffinityWeight }: InterPodAffinityArgs, path: FieldPath): FieldError[] {
  return hardPodAffinityWeight < 0 || hardPodAffinityWeight > 100
    ? [
        invalid(
          path.child('hardPodAffinityWeight'),
          hardPodAffinityWeight,
          'not in valid range [0, 100]',
        ),
      ]
    : [];
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

/** A pod that comes may be wanted near; one that goes may have been unwanted, or have kept this one away. */
function isConcerned(pod: Pod, event: ClusterEvent, labels: NamespaceLabels): boolean {
  const terms = affinityTermsOf(pod);
  const wanted = (other: Pod): boolean =>
    (terms?.requiredAffinity ?? []).some((term) => termMatches(term, other, labels));
  const unwanted = (other: Pod): boolean =>
    (terms?.requiredAntiAffinity ?? []).some((term) => termMatches(term, other, labels)) ||
    (affinityTermsOf(other)?.requiredAntiAffinity ?? []).some((term) =>
      termMatches(term, pod, labels),
    );
  switch (event.name) {
    case 'AssignedPodAdd':
      return wanted(newOf(event));
    case 'AssignedPodDelete': {
      const gone = oldOf<Pod>(event);
      return !gone || unwanted(gone);
    }
    default: {
      const old = oldOf<Pod>(event);
      return wanted(newOf(event)) || (old !== undefined && unwanted(old));
    }
  }
}

const selectsByNamespace = (pod: Pod): boolean => {
  const terms = affinityTermsOf(pod);
  return [...(terms?.requiredAffinity ?? []), ...(terms?.requiredAntiAffinity ?? [])].some(
    ({ namespaceSelector }) => namespaceSelector.requirements.length > 0,
  );
};

/** A pod without terms of its own is kept away by others' terms, which any node may lack. */
function hasATopology(pod: Pod, event: ClusterEvent): boolean {
  const { requiredAffinity = [], requiredAntiAffinity = [] } = affinityTermsOf(pod) ?? {};
  if (requiredAffinity.length === 0) return true;
  const { metadata } = newOf<Node>(event);
  return (
    requiredAntiAffinity.length > 0 ||
    requiredAffinity.some(({ topologyKey }) => metadata.labels?.[topologyKey] !== undefined)
  );
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
    const settings = readArgs(InterPodAffinityArgs, args, checkArgs);
    const labels: NamespaceLabels = (name) =>
      listers.namespaces.get({ name })?.metadata.labels ?? {};
    return {
      name: NAME,
      events: [
        {
          on: ['AssignedPodAdd', 'AssignedPodUpdate', 'AssignedPodDelete'],
          helps: (pod, event) => isConcerned(pod, event, labels),
        },
        { on: ['Namespace'], helps: (pod) => selectsByNamespace(pod) },
        { on: ['NodeAdd', 'NodeLabel'], helps: (pod, event) => hasATopology(pod, event) },
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
