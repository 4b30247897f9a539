import { describe, expect, it } from '@jest/globals';
import { serviceNodeName } from './service-node-name.js';

describe(serviceNodeName.name, () => {
  it.each([
    { name: 'orrery_node_1.orrery_cluster', service: 'node', want: 'node-1' },
    { name: 'orrery-node-12.orrery_cluster', service: 'node', want: 'node-12' },
    { name: 'my-node-project-node-2.my-node-project_cluster', service: 'node', want: 'node-2' },
    { name: 'orrery_node-netns_3.orrery_cluster', service: 'node-netns', want: 'node-netns-3' },
    { name: 'orrery_node-netns_3.orrery_cluster', service: 'node', want: undefined },
    { name: 'orrery-worker-2.orrery_cluster', service: 'node', want: undefined },
    { name: 'node-1.example.org', service: 'node', want: undefined },
  ])('$name of the service $service is $want', ({ name, service, want }) => {
    expect(serviceNodeName(service, name)).toBe(want);
  });
});
