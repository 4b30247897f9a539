import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { LabelSelectorMatcher, LabelSelectorObject } from '@orrery/apimachinery';
import { controllerOf } from '@orrery/apimachinery';
import type { Pod, TopologySpreadConstraint } from '@orrery/api';
import type { Listers } from '../../framework/plugin.js';
import { limitsNodes, toCountKey } from './spread-constraint.js';
import type { SpreadConstraint } from './spread-constraint.js';

type Workloads = Pick<
  Listers,
  'services' | 'replicaSets' | 'statefulSets' | 'replicationControllers'
>;

/** The selector of the controller that owns the pod. */
function ownerSelector(pod: Pod, workloads: Workloads): LabelSelectorObject | undefined {
  const owner = controllerOf(pod);
  const key = { namespace: pod.metadata.namespace ?? '', name: owner?.name ?? '' };
  switch (owner?.kind) {
    case 'ReplicationController':
      return { matchLabels: workloads.replicationControllers.get(key)?.spec?.selector };
    case 'ReplicaSet':
      return workloads.replicaSets.get(key)?.spec?.selector;
    case 'StatefulSet':
      return workloads.statefulSets.get(key)?.spec?.selector;
    default:
      return undefined;
  }
}

/** The selectors of the services that select the pod, together. */
function serviceLabels(pod: Pod, { services }: Workloads): Record<string, string> {
  const { namespace = '', labels = {} } = pod.metadata;
  const all: Record<string, string> = {};
  for (const { spec } of services.list(namespace)) {
    const entries = Object.entries(spec?.selector ?? {});
    if (entries.length > 0 && entries.every(([key, value]) => labels[key] === value))
      Object.assign(all, spec?.selector);
  }
  return all;
}

/** What the pods of a group have in common (k8s plugins/helper/spread.go:DefaultSelector). */
function groupSelector(pod: Pod, workloads: Workloads): LabelSelectorObject | undefined {
  const owner = ownerSelector(pod, workloads);
  const matchLabels = { ...serviceLabels(pod, workloads), ...owner?.matchLabels };
  const matchExpressions = owner?.matchExpressions ?? [];
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return undefined;
  return { matchLabels, matchExpressions };
}

/** Matchers by selector: the pods of a group come one after another. */
const matchers = new Map<string, LabelSelectorMatcher>();
const MOST_MATCHERS = 1000;

function matcherOf(group: LabelSelectorObject): LabelSelectorMatcher {
  const key = JSON.stringify(group);
  let matcher = matchers.get(key);
  if (!matcher) {
    matcher = labelSelectorMatcher(group);
    if (matchers.size >= MOST_MATCHERS) matchers.clear();
    matchers.set(key, matcher);
  }
  return matcher;
}

/** Those of the configuration, for pods that have none of their own. */
export function defaultConstraints(
  pod: Pod,
  workloads: Workloads,
  defaults: readonly TopologySpreadConstraint[],
): SpreadConstraint[] {
  if (defaults.length === 0) return [];
  const group = groupSelector(pod, workloads);
  if (!group) return [];
  const selector = matcherOf(group);
  const countKey = toCountKey(pod, selector);
  return defaults.map((each) => ({
    topologyKey: each.topologyKey,
    maxSkew: each.maxSkew,
    minDomains: each.minDomains ?? 1,
    selector,
    countKey,
    honorsAffinity: each.nodeAffinityPolicy !== 'Ignore' && limitsNodes(pod),
    honorsTaints: each.nodeTaintsPolicy === 'Honor',
  }));
}
