import { deepEqual } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import type { ClusterEventName } from '../framework/cluster-event.js';

const conditions = (node: Node): readonly string[] =>
  (node.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`).sort();

/** What of a node each event tells of. */
const PARTS: readonly (readonly [event: ClusterEventName, part: (node: Node) => unknown])[] = [
  ['NodeAllocatable', ({ status }) => status?.allocatable],
  ['NodeLabel', ({ metadata }) => metadata.labels],
  ['NodeTaint', ({ spec }) => [spec?.taints ?? [], Boolean(spec?.unschedulable)]],
  ['NodeCondition', conditions],
  ['NodeDeclaredFeatures', ({ status }) => status?.declaredFeatures],
];

/** What about a node changed, in the words of the queue; a heartbeat is nothing. */
export const nodeChanges = (node: Node, old: Node): ClusterEventName[] =>
  PARTS.filter(([, part]) => !deepEqual(part(node), part(old))).map(([event]) => event);
