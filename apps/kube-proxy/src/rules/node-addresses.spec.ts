import { describe, expect, it } from '@jest/globals';
import { localSources, nodeFacts, nodePortAddresses } from './node-addresses.js';

const facts = nodeFacts({
  metadata: { name: 'k8s-01', labels: { 'topology.kubernetes.io/zone': 'east' } },
  spec: { podCIDRs: ['10.244.1.0/24'], taints: [{ key: 'other', effect: 'NoSchedule' }] },
  status: {
    addresses: [
      { type: 'Hostname', address: 'k8s-01' },
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'InternalIP', address: 'fd00::1' },
      { type: 'ExternalIP', address: '203.0.113.1' },
    ],
  },
});

describe('nodePortAddresses()', () => {
  it.each<{ wanted: string[] | null; want: string[] }>([
    { wanted: null, want: ['10.0.0.1', 'fd00::1'] },
    { wanted: ['primary'], want: ['10.0.0.1', 'fd00::1'] },
    { wanted: ['primary', '203.0.113.1/32'], want: ['10.0.0.1', 'fd00::1', '203.0.113.1'] },
    { wanted: ['all'], want: ['10.0.0.1', 'fd00::1', '203.0.113.1'] },
    { wanted: ['localhost'], want: [] },
    { wanted: ['203.0.113.0/24'], want: ['203.0.113.1'] },
    { wanted: ['10.0.0.0/8', 'fd00::/64'], want: ['10.0.0.1', 'fd00::1'] },
    { wanted: ['127.0.0.0/8'], want: [] },
  ])('$wanted -> $want', ({ wanted, want }) => {
    expect(nodePortAddresses(facts, wanted)).toEqual(want);
  });
});

describe('localSources()', () => {
  it.each<{ podRanges: string[] | 'NodeCIDR'; want: string[] }>([
    { podRanges: ['10.244.0.0/16'], want: ['10.244.0.0/16'] },
    { podRanges: 'NodeCIDR', want: ['10.244.1.0/24'] },
    { podRanges: [], want: [] },
  ])('$podRanges', ({ podRanges, want }) => {
    const own = ['10.0.0.1', 'fd00::1', '203.0.113.1'];
    expect(localSources(facts, ['10.0.0.1', '10.0.0.9'], podRanges)).toEqual([
      ...own,
      '10.0.0.9',
      ...want,
    ]);
  });
});

describe('nodeFacts()', () => {
  it('a node that the autoscaler removes gets no more traffic from load balancers', () => {
    const spec = {
      taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' as const }],
    };
    expect(facts.isEligible).toBe(true);
    expect(nodeFacts({ metadata: { name: 'x' }, spec }).isEligible).toBe(false);
  });
});
