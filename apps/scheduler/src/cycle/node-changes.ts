import { isDeepStrictEqual } from 'node:util';
import type { Node } from '@orrery/api';
import type { ClusterEventName } from '../framework/cluster-event.js';

const conditions = (node: Node): readonly string[] =>
  (node.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`).sort();

/** What about a node changed, in the words of the queue; a heartbeat is nothing. */
export function nodeChanges(node: Node, old: Node): ClusterEventName[] {
  const changes: ClusterEventName[] = [];
  if (!isDeepStrictEqual(node.status?.allocatable, old.status?.allocatable))
    changes.push('NodeAllocatable');
  if (!isDeepStrictEqual(node.metadata.labels, old.metadata.labels)) changes.push('NodeLabel');
  const taints =
    !isDeepStrictEqual(node.spec?.taints ?? [], old.spec?.taints ?? []) ||
    Boolean(node.spec?.unschedulable) !== Boolean(old.spec?.unschedulable);
  if (taints) changes.push('NodeTaint');
  if (!isDeepStrictEqual(conditions(node), conditions(old))) changes.push('NodeCondition');
  return changes;
}
