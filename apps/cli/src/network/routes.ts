import type { Node } from '@orrery/api';
import { Subnet } from '@orrery/network';

/** How a node's pods are reached: local addresses of the node, a bridge behind routes or a tunnel, or by others' means. */
export type RouteMode = 'routed' | 'host-gw' | 'vxlan' | 'none';

/** What one node knows of a range of addresses. */
export type Route =
  | { readonly to: string; readonly kind: 'local' }
  | { readonly to: string; readonly kind: 'via'; readonly via: string }
  | {
      readonly to: string;
      readonly kind: 'tunnel';
      /** The other tunnel's inner address, its link address and the node behind it. */
      readonly via: string;
      readonly mac: string;
      readonly node: string;
    };

export interface RouteOptions {
  readonly self: string;
  readonly serviceCidrs: readonly string[];
  readonly mode: RouteMode;
}

const isIpv6 = (text: string): boolean => text.includes(':');

const internalIps = (node: Node): string[] =>
  (node.status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' ? [address] : [],
  );

export const podCidrsOf = ({ spec }: Node): readonly string[] =>
  spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]);

/** The last four bytes of a /64's prefix: they tell the ranges of a cluster's nodes apart. */
function endOfPrefix(network: string): number[] {
  const [left = ''] = network.split('::');
  const groups = [...left.split(':'), '0', '0', '0', '0'].slice(0, 4);
  return groups
    .slice(2)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
}

/** The link address of a node's tunnel, from its range as CNI makes them: every other node can compute it. */
export function tunnelMac(podCidrs: readonly string[]): string | undefined {
  const first = podCidrs.find((cidr) => !isIpv6(cidr)) ?? podCidrs[0];
  if (first === undefined) return undefined;
  const { network } = Subnet.parse(first);
  const bytes = isIpv6(network) ? endOfPrefix(network) : network.split('.').map(Number);
  return ['0a', '58', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

function toOther(node: Node, to: string, mode: RouteMode): Route[] {
  if (mode === 'none') return [];
  const ips = internalIps(node);
  if (mode !== 'vxlan') {
    const via = ips.find((ip) => isIpv6(ip) === isIpv6(to));
    return via === undefined ? [] : [{ to, kind: 'via', via }];
  }
  const mac = tunnelMac(podCidrsOf(node));
  const behind = ips.find((ip) => !isIpv6(ip)) ?? ips[0];
  if (mac === undefined || behind === undefined) return [];
  return [{ to, kind: 'tunnel', via: Subnet.parse(to).network, mac, node: behind }];
}

/**
 * The routes that node `self` needs: the service ranges, and in mode `routed` its own pod ranges, are addresses of its
 * own; the pod ranges of every other node are behind that node.
 */
export function desiredRoutes(
  nodes: readonly Node[],
  { self, serviceCidrs, mode }: RouteOptions,
): readonly Route[] {
  const pods = nodes.flatMap((node) =>
    podCidrsOf(node).flatMap((to): Route[] => {
      if (node.metadata.name !== self) return toOther(node, to, mode);
      return mode === 'routed' ? [{ to, kind: 'local' }] : [];
    }),
  );
  return [...serviceCidrs.map((to): Route => ({ to, kind: 'local' })), ...pods];
}

const textOf = (route: Route | undefined): string => JSON.stringify(route);

/** What leads from the routes in force to those wanted; removals first, so that a range can change its kind. */
export function routeChanges(
  now: ReadonlyMap<string, Route>,
  wanted: readonly Route[],
): { readonly remove: readonly Route[]; readonly add: readonly Route[] } {
  const goal = new Map(wanted.map((route) => [route.to, route]));
  const remove = [...now.values()].filter((route) => goal.get(route.to)?.kind !== route.kind);
  return { remove, add: wanted.filter((route) => textOf(now.get(route.to)) !== textOf(route)) };
}
