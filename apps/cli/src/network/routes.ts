import type { Node } from '@orrery/api';

/** A route of one node in network mode `routed`. */
export type Route =
  | { readonly to: string; readonly kind: 'local' }
  | { readonly to: string; readonly kind: 'via'; readonly via: string };

const internalIp = (node: Node): string | undefined =>
  node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;

/**
 * The routes that node `self` needs: the service range and its own pod range are addresses of its own, the pod range of
 * every other node is behind that node.
 */
export function desiredRoutes(
  nodes: readonly Node[],
  self: string,
  serviceCidr: string,
): readonly Route[] {
  const pods = nodes.flatMap((node): Route[] => {
    const to = node.spec?.podCIDR;
    if (to === undefined) return [];
    if (node.metadata.name === self) return [{ to, kind: 'local' }];
    const via = internalIp(node);
    return via === undefined ? [] : [{ to, kind: 'via', via }];
  });
  return [{ to: serviceCidr, kind: 'local' }, ...pods];
}

const isSame = (a: Route | undefined, b: Route): boolean =>
  a?.kind === b.kind && (a.kind === 'local' || b.kind === 'local' || a.via === b.via);

/** What leads from the routes in force to those wanted; removals first, so that a range can change its kind. */
export function routeChanges(
  now: ReadonlyMap<string, Route>,
  wanted: readonly Route[],
): { readonly remove: readonly Route[]; readonly add: readonly Route[] } {
  const goal = new Map(wanted.map((route) => [route.to, route]));
  const remove = [...now.values()].filter((route) => {
    const next = goal.get(route.to);
    return next?.kind !== route.kind;
  });
  return { remove, add: wanted.filter((route) => !isSame(now.get(route.to), route)) };
}
