import type { LabelSelectorMatcher } from '@orrery/apimachinery';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { Pod, TopologySpreadConstraint } from '@orrery/api';
import type { NodeCounts } from '../../cache/node-counts.js';
import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import { withLabelKeys } from '../../framework/affinity-terms.js';
import { nodeMatchesPod } from '@orrery/controller';
import { findUntolerated } from '../../framework/tolerations.js';

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelectorMatcher;
  /** The same for constraints that count the same pods. */
  readonly countKey: string;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

export type Action = TopologySpreadConstraint['whenUnsatisfiable'];

/** The pod's own constraints of one kind, compiled. */
export function constraintsOf(pod: Pod, action: Action): SpreadConstraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter((each) => each.whenUnsatisfiable === action)
    .map((each) => {
      const selector = labelSelectorMatcher(
        withLabelKeys(each.labelSelector, pod.metadata.labels, { match: each.matchLabelKeys }),
      );
      return {
        topologyKey: each.topologyKey,
        maxSkew: each.maxSkew,
        minDomains: each.minDomains ?? 1,
        selector,
        countKey: toCountKey(pod, each.labelSelector ? selector : undefined),
        honorsAffinity: each.nodeAffinityPolicy !== 'Ignore' && limitsNodes(pod),
        honorsTaints: each.nodeTaintsPolicy === 'Honor',
      };
    });
}

/** A selector that is absent selects nothing, an empty one everything. */
export const toCountKey = (pod: Pod, selector: LabelSelectorMatcher | undefined): string =>
  `${pod.metadata.namespace ?? ''}|${selector ? selector.toString() : 'nothing'}`;

/** Whether the pod's own spec keeps it from some nodes. */
export const limitsNodes = ({ spec }: Pod): boolean =>
  spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity !== undefined;

/** Whether pods on the node count for the constraint. */
export function countsNode(constraint: SpreadConstraint, pod: Pod, { node }: NodeInfo): boolean {
  if (!node) return false;
  if (constraint.honorsAffinity && !nodeMatchesPod(pod, node)) return false;
  if (!constraint.honorsTaints) return true;
  const { tolerations } = pod.spec;
  return !findUntolerated(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']);
}

export const hasAllKeys = (node: NodeInfo, constraints: readonly SpreadConstraint[]): boolean =>
  constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);

export const selects = (
  { selector }: SpreadConstraint,
  namespace: string | undefined,
  pod: Pod,
): boolean =>
  pod.metadata.namespace === namespace &&
  !pod.metadata.deletionTimestamp &&
  selector.matches(pod.metadata.labels);

/** Whether each node has the label, so that none is left out for lack of it. */
export function isEverywhere({ topologyKey }: SpreadConstraint, nodes: NodeInfos): boolean {
  let labelled = 0;
  for (const count of nodes.domains(topologyKey).values()) labelled += count;
  return labelled === nodes.list().length;
}

/** Where the pods are that the constraint selects. */
export function countsOf(constraint: SpreadConstraint, pod: Pod, nodes: NodeInfos): NodeCounts {
  const { namespace = '' } = pod.metadata;
  return nodes.counts({
    key: `spread ${constraint.countKey}`,
    namespaces: new Set([namespace]),
    matches: (other) => selects(constraint, namespace, other.pod),
  });
}
