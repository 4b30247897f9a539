import { expect, it } from '@jest/globals';
import { createMetrics } from '@orrery/component';
import { cidrBlocks, passedOver } from './cidr-blocks.js';
import { createBlockMeters } from './node-ipam.metrics.js';

it('counts blocks as they come and go', async () => {
  const metrics = createMetrics();
  const blocks = cidrBlocks('10.0.0.0/22', 24);
  const meters = createBlockMeters(metrics, [blocks]);
  meters.taken(blocks, 2);
  meters.taken(blocks);
  meters.released(blocks);
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    'node_ipam_controller_cidrset_cidrs_allocations_total{clusterCIDR="10.0.0.0/22"} 2',
    'node_ipam_controller_cidrset_cidrs_releases_total{clusterCIDR="10.0.0.0/22"} 1',
    'node_ipam_controller_cidrset_usage_cidrs{clusterCIDR="10.0.0.0/22"} 0.25',
    'node_ipam_controller_cirdset_max_cidrs{clusterCIDR="10.0.0.0/22"} 4',
    'node_ipam_controller_cidrset_allocation_tries_per_request_sum{clusterCIDR="10.0.0.0/22"} 2',
  ])
    expect(lines).toContain(line);
});

it.each([
  { name: 'node-03', index: 3, want: 0 },
  { name: 'node-03', index: 5, want: 4 },
  { name: 'x', index: 1, want: 0 },
])('block $index for $name was found after $want others', ({ name, index, want }) => {
  expect(passedOver(index, name)).toBe(want);
});
