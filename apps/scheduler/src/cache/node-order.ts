import type { Node } from '@orrery/api';

const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';

export const zoneOf = (node: Node): string => {
  const labels = node.metadata.labels ?? {};
  return `${labels[REGION] ?? ''}:${labels[ZONE] ?? ''}`;
};

/** The order in which nodes are looked at: one of each zone in turn (k8s scheduler/backend/cache/node_tree.go). */
export function zoneInterleaved<T extends { readonly node: Node | undefined }>(
  nodes: readonly T[],
): T[] {
  const zones = new Map<string, T[]>();
  for (const each of nodes) {
    if (!each.node) continue;
    const zone = zoneOf(each.node);
    const group = zones.get(zone);
    if (group) group.push(each);
    else zones.set(zone, [each]);
  }
  const groups = [...zones.values()];
  const longest = Math.max(0, ...groups.map((group) => group.length));
  const order: T[] = [];
  for (let i = 0; i < longest; i++)
    for (const group of groups) {
      const each = group[i];
      if (each) order.push(each);
    }
  return order;
}
