import type { Node } from '@orrery/api';
import { healthOf } from './node-lifecycle.decide.js';

/** How a zone is: more nodes than the threshold, or all of them, may be out of order at once. */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** The flags that say how fast nodes are evicted. */
export interface EvictionLimits {
  /** Nodes per second. */
  readonly normal: number;
  readonly secondary: number;
  readonly unhealthyThreshold: number;
  readonly largeClusterSize: number;
}

export interface Zones {
  /** Nodes per second that may be evicted, by zone. */
  readonly rates: ReadonlyMap<string, number>;
  /** No node of any zone is ready: then more likely we are cut off ourselves. */
  readonly isolated: boolean;
}

/** Region and zone of a node; '' for none (k8s component-helpers/node/topology: GetZoneKey). */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone =
    labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
  const region =
    labels['topology.kubernetes.io/region'] ??
    labels['failure-domain.beta.kubernetes.io/region'] ??
    '';
  return region === '' && zone === '' ? '' : `${region}:${zone}`;
}

/** Pure (k8s nodelifecycle: ComputeZoneState). */
export function stateOf(nodes: readonly Node[], threshold: number): ZoneState {
  const unready = nodes.filter((node) => healthOf(node) !== 'Ready').length;
  if (unready > 0 && unready === nodes.length) return 'FullDisruption';
  if (unready > 2 && unready / nodes.length >= threshold) return 'PartialDisruption';
  return 'Normal';
}

function rateOf(state: ZoneState, size: number, limits: EvictionLimits): number {
  if (state !== 'PartialDisruption') return limits.normal;
  return size > limits.largeClusterSize ? limits.secondary : 0;
}

/** Pure: how fast nodes may be evicted in each zone (handleDisruption). */
export function judgeZones(nodes: readonly Node[], limits: EvictionLimits): Zones {
  const zones = new Map<string, Node[]>();
  for (const node of nodes) {
    const zone = zoneOf(node);
    zones.set(zone, [...(zones.get(zone) ?? []), node]);
  }
  const states = [...zones].map(
    ([zone, members]) =>
      [zone, stateOf(members, limits.unhealthyThreshold), members.length] as const,
  );
  const isolated = states.length > 0 && states.every(([, state]) => state === 'FullDisruption');
  const rates = states.map(
    ([zone, state, size]) => [zone, isolated ? 0 : rateOf(state, size, limits)] as const,
  );
  return { rates: new Map(rates), isolated };
}
