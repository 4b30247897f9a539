import type { Node } from '@orrery/api';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { healthOf } from './node-lifecycle.decide.js';
import { zoneOf } from './zones.js';

const SUBSYSTEM = 'node_collector';

/** What is counted of nodes (k8s pkg/controller/nodelifecycle/metrics.go). */
export interface NodeMeters {
  /** There is a node of that zone. */
  seen(node: Node): void;
  /** A node got the taint by which its pods have to go. */
  evicted(node: Node): void;
  /** The look at one node took so long. */
  updated(name: string, seconds: number): void;
}

/** The label `zone`: with the zero byte that upstream has between region and zone (component-helpers GetZoneKey). */
export const zoneLabel = (node: Node): string => zoneOf(node).replace(':', ':\x00:');

interface ZoneCount {
  size: number;
  unhealthy: number;
}

/** Pure: nodes of each zone, and those of them that are not ready. */
export function countZones(nodes: readonly Node[]): Map<string, ZoneCount> {
  const zones = new Map<string, ZoneCount>();
  for (const node of nodes) {
    const zone = zones.get(zoneLabel(node)) ?? { size: 0, unhealthy: 0 };
    zone.size++;
    if (healthOf(node) !== 'Ready') zone.unhealthy++;
    zones.set(zoneLabel(node), zone);
  }
  return zones;
}

function addZoneGauges(metrics: Metrics, nodes: Lister<Node>): void {
  const gauge = (name: string, help: string, value: (count: ZoneCount) => number): void => {
    metrics.gauge({
      name: `${SUBSYSTEM}_${name}`,
      help,
      labels: ['zone'],
      collect: (each) => {
        each.reset();
        for (const [zone, count] of countZones(nodes.list())) each.set({ zone }, value(count));
      },
    });
  };
  gauge(
    'zone_health',
    'Gauge measuring percentage of healthy nodes per zone.',
    ({ size, unhealthy }) => (100 * (size - unhealthy)) / size,
  );
  gauge('zone_size', 'Gauge measuring number of registered Nodes per zones.', ({ size }) => size);
  const unready = 'Gauge measuring number of not Ready Nodes per zones.';
  gauge('unhealthy_nodes_in_zone', unready, ({ unhealthy }) => unhealthy);
}

/** Nodes are looked at each by itself: a round of all ends when one comes again. */
class Round {
  readonly #seen = new Set<string>();
  #seconds = 0;

  /** The seconds of the round that has just ended, if one has. */
  add(name: string, seconds: number): number | undefined {
    const ended = this.#seen.has(name) ? this.#seconds : undefined;
    if (ended !== undefined) {
      this.#seen.clear();
      this.#seconds = 0;
    }
    this.#seen.add(name);
    this.#seconds += seconds;
    return ended;
  }
}

export function createNodeMeters(metrics: Metrics, nodes: Lister<Node>): NodeMeters {
  addZoneGauges(metrics, nodes);
  const evictions = metrics.counter({
    name: `${SUBSYSTEM}_evictions_total`,
    help: 'Number of Node evictions that happened since current instance of NodeController started.',
    labels: ['zone'],
  });
  const one = metrics.histogram({
    name: `${SUBSYSTEM}_update_node_health_duration_seconds`,
    help: 'Duration in seconds for NodeController to update the health of a single node.',
    buckets: exponentialBuckets(0.001, 4, 8),
  });
  const all = metrics.histogram({
    name: `${SUBSYSTEM}_update_all_nodes_health_duration_seconds`,
    help: 'Duration in seconds for NodeController to update the health of all nodes.',
    buckets: exponentialBuckets(0.01, 4, 8),
  });
  const round = new Round();
  return {
    seen: (node) => {
      evictions.inc({ zone: zoneLabel(node) }, 0);
    },
    evicted: (node) => {
      evictions.inc({ zone: zoneLabel(node) });
    },
    updated: (name, seconds) => {
      one.observe(seconds);
      const ended = round.add(name, seconds);
      if (ended !== undefined) all.observe(ended);
    },
  };
}
