import { describe, expect, it } from '@jest/globals';
import type { Node } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { countZones, createNodeMeters } from './node-lifecycle.metrics.js';

const node = (status: string, zone?: string): Node =>
  ({
    metadata: {
      labels: zone
        ? { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': zone }
        : {},
    },
    status: { conditions: [{ type: 'Ready', status }] },
  }) as Node;

describe('countZones()', () => {
  it.each([
    { name: 'nothing', nodes: [], want: [] },
    {
      name: 'zones by themselves, with upstream’s zero byte',
      nodes: [node('True', 'a'), node('Unknown', 'a'), node('False', 'b')],
      want: [
        ['r:\x00:a', { size: 2, unhealthy: 1 }],
        ['r:\x00:b', { size: 1, unhealthy: 1 }],
      ],
    },
    { name: 'nodes of no zone', nodes: [node('True')], want: [['', { size: 1, unhealthy: 0 }]] },
  ])('counts $name', ({ nodes, want }) => {
    expect([...countZones(nodes)]).toEqual(want);
  });
});

describe('the metrics', () => {
  it('tell of the zones that there are, and of each round of all nodes', async () => {
    const metrics = createMetrics();
    const nodes = [node('True'), node('False')];
    const meters = createNodeMeters(metrics, { list: () => nodes } as unknown as Lister<Node>);
    meters.seen(node('True', 'z'));
    meters.evicted(node('False'));
    for (const name of ['a', 'b', 'a']) meters.updated(name, 0.5);
    const text = await metrics.text();
    for (const line of [
      'node_collector_zone_health{zone=""} 50',
      'node_collector_evictions_total{zone="r:\x00:z"} 0',
      'node_collector_evictions_total{zone=""} 1',
      'node_collector_update_node_health_duration_seconds_count 3',
      'node_collector_update_all_nodes_health_duration_seconds_sum 1',
      'node_collector_update_all_nodes_health_duration_seconds_count 1',
    ])
      expect(text.split('\n')).toContain(line);
    nodes.length = 0;
    expect(await metrics.text()).not.toContain('node_collector_zone_size{');
  });
});
