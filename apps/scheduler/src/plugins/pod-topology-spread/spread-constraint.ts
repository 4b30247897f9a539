import type { LabelSelectorMatcher } from '@orrery/apimachinery';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { Pod, TopologySpreadConstraint } from '@orrery/api';
import type { NodeInfo } from '../../cache/node-info.js';
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

type Action = TopologySpreadConstraint['whenUnsatisfiable'];

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

/** How many pods on the node the constraint counts. */
export function countSelected(
  constraint: SpreadConstraint,
  namespace: string | undefined,
  node: NodeInfo,
): number {
  return node.counted(constraint.countKey, () => {
    let count = 0;
    for (const { pod } of node.pods.values()) if (selects(constraint, namespace, pod)) count += 1;
    return count;
  });
}
