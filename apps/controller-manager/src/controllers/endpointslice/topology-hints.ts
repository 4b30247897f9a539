import type { Endpoint, Node, Service } from '@orrery/api';
import { parseQuantity } from '@orrery/apimachinery';

const ZONE = 'topology.kubernetes.io/zone';
const MODES = [
  'service.kubernetes.io/topology-mode',
  'service.kubernetes.io/topology-aware-hints',
] as const;
const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
/** By so much may the endpoints of a zone get more than their share (k8s topologycache: overloadThreshold). */
const OVERLOAD = 0.2;

/** Whether endpoints are given to zones by the processors of their nodes (k8s endpointslice/reconciler.go:hintsEnabled). */
export function wantsTopologyHints({ metadata }: Service): boolean {
  const mode = MODES.map((name) => metadata.annotations?.[name]).find(
    (value) => value !== undefined,
  );
  return mode === 'Auto' || mode === 'auto';
}

/** The share of each zone in the processors of the nodes that pods run on; undefined when that cannot be said. */
export function zoneShares(nodes: readonly Node[]): ReadonlyMap<string, number> | undefined {
  const cpu = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    if (CONTROL_PLANE.some((label) => metadata.labels?.[label] !== undefined)) continue;
    if (!status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) continue;
    const zone = metadata.labels?.[ZONE];
    const amount = Number(parseQuantity(status.allocatable?.['cpu'] ?? '0').nanos);
    if (!zone || amount === 0) return undefined;
    cpu.set(zone, (cpu.get(zone) ?? 0) + amount);
    total += amount;
  }
  if (cpu.size < 2) return undefined;
  return new Map([...cpu].map(([zone, amount]) => [zone, amount / total]));
}

/** Pure: which zone's traffic each endpoint is to take, or why none gets a hint. */
export type ZonePlan =
  { readonly zones: ReadonlyMap<Endpoint, string> } | { readonly refused: string };

interface Share {
  readonly desired: number;
}

function sharesOf(
  count: number,
  ratios: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, Share> | string {
  if (!ratios)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  const counts = `(${count} endpoints, ${ratios.size} zones)`;
  if (ratios.size > count) return `Insufficient number of endpoints ${counts}`;
  const shares = new Map<string, Share>();
  let left = count;
  for (const [zone, ratio] of ratios) {
    const minimum = Math.ceil((ratio * count) / (1 + OVERLOAD));
    shares.set(zone, { desired: Math.max(ratio * count, minimum) });
    left -= minimum;
  }
  return left < 0
    ? `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`
    : shares;
}

const most = (amounts: ReadonlyMap<string, number>): readonly [string, number] | undefined =>
  [...amounts].reduce<readonly [string, number] | undefined>(
    (best, one) => (best && best[1] >= one[1] ? best : one),
    undefined,
  );

/** How many endpoints each zone gives, and who gets them, one after the other. */
function gifts(
  shares: ReadonlyMap<string, Share>,
  held: ReadonlyMap<string, number>,
): readonly (readonly [from: string, to: string])[] {
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (const [zone, { desired }] of shares) {
    const surplus = (held.get(zone) ?? 0) - desired;
    if (surplus > 0) giving.set(zone, surplus);
    else if (surplus < 0) receiving.set(zone, -surplus);
  }
  const found: (readonly [string, string])[] = [];
  for (;;) {
    const giver = most(giving);
    const receiver = most(receiving);
    if (!giver || !receiver || Math.max(giver[1], receiver[1]) < 1) return found;
    if (Math.min(giver[1], receiver[1]) < 0.5) return found;
    found.push([giver[0], receiver[0]]);
    giving.set(giver[0], giver[1] - 1);
    receiving.set(receiver[0], receiver[1] - 1);
  }
}

/**
 * Each endpoint takes the traffic of its own zone, but for those that zones with more than their share give to others
 * (k8s endpointslice/topologycache:AddHints). `endpoints` are the ready ones of one address family, in a fixed order.
 */
export function planZones(
  endpoints: readonly Endpoint[],
  ratios: ReadonlyMap<string, number> | undefined,
): ZonePlan {
  const shares = sharesOf(endpoints.length, ratios);
  if (typeof shares === 'string') return { refused: shares };
  const zones = new Map<Endpoint, string>();
  const held = new Map<string, number>();
  for (const endpoint of endpoints) {
    const { zone } = endpoint;
    if (!zone) return { refused: 'One or more endpoints do not have a zone specified' };
    zones.set(endpoint, zone);
    held.set(zone, (held.get(zone) ?? 0) + 1);
  }
  for (const [from, to] of gifts(shares, held)) {
    const given = endpoints.findLast((one) => one.zone === from && zones.get(one) === from);
    if (given) zones.set(given, to);
  }
  return { zones };
}
