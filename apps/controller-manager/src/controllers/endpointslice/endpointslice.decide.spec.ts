import { describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Node, Pod, Service } from '@orrery/api';
import { planServiceSlices, planSlices } from './endpointslice.decide.js';
import type { SlicePlan } from './slice-packing.js';

const service = (spec: object = {}): Service => ({
  metadata: { name: 's', namespace: 'n', uid: 'u' },
  spec: { selector: { a: 'b' }, ports: [{ port: 80 }], ...spec },
});

const pod = (index: number, ready = true, more: object = {}): Pod =>
  ({
    metadata: { name: `p${index}`, namespace: 'n', uid: `p${index}`, ...more },
    spec: { nodeName: `k${index}`, containers: [] },
    status: {
      podIP: `10.0.0.${index}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }) as Pod;

const nodeOf = (name: string): Node => ({
  metadata: { name, labels: { 'topology.kubernetes.io/zone': `z-${name}` } },
  spec: {},
});

const plan = (of: Service, pods: Pod[], existing: EndpointSlice[] = [], most = 2): SlicePlan =>
  planSlices({ service: of, pods, existing, nodeOf, most });

const sizes = (slices: readonly EndpointSlice[]): number[] =>
  slices.map(({ endpoints }) => endpoints?.length ?? 0);

describe('planSlices()', () => {
  it('fills slices and starts new ones', () => {
    const { create } = plan(service(), [pod(1), pod(2), pod(3)]);
    expect(sizes(create)).toEqual([2, 1]);
    const next = plan(service(), [pod(1), pod(2), pod(3), pod(4)], [...create]);
    expect([next.create.length, sizes(next.update), next.remove.length]).toEqual([0, [2], 0]);
  });

  it('changes nothing when nothing has changed', () => {
    const { create } = plan(service(), [pod(1), pod(2), pod(3)]);
    const same = plan(service(), [pod(1), pod(2), pod(3)], [...create]);
    expect(same).toEqual({ create: [], update: [], remove: [] });
  });

  it('keeps one empty slice', () => {
    expect(sizes(plan(service(), []).create)).toEqual([0]);
  });

  it('keeps one empty slice of each family', () => {
    const both = service({ ipFamilies: ['IPv4', 'IPv6'] });
    const families = (slices: readonly EndpointSlice[]): unknown[] =>
      slices.map(({ addressType, endpoints, ports }) => [addressType, endpoints?.length, ports]);
    const none = plan(both, []);
    expect(families(none.create)).toEqual([
      ['IPv4', 0, []],
      ['IPv6', 0, []],
    ]);
    expect(plan(both, [], [...none.create])).toEqual({ create: [], update: [], remove: [] });
    // This pod has an IPv4 address only.
    const one = plan(both, [pod(1)], [...none.create]);
    expect([one.create.length, families(one.update), one.remove.length]).toEqual([1, [], 1]);
    const full = [...one.create, ...none.create.slice(1)];
    const left = plan(both, [], full);
    expect([left.create.length, families(left.update), left.remove.length]).toEqual([
      0,
      [['IPv4', 0, []]],
      0,
    ]);
  });

  it('gives endpoints to the zones that have the processors, where that is asked for', () => {
    const asking = service();
    asking.metadata.annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
    const world = { service: asking, pods: [pod(1), pod(2)], existing: [], nodeOf, most: 9 };
    const ratios = new Map([
      ['z-k1', 0.5],
      ['z-k2', 0.5],
    ]);
    const given = planServiceSlices({ ...world, zoneShares: () => ratios });
    expect(given.hints.get('IPv4')).toBe('given');
    expect(given.plan.create[0]?.endpoints?.map(({ hints }) => hints)).toEqual([
      { forZones: [{ name: 'z-k1' }] },
      { forZones: [{ name: 'z-k2' }] },
    ]);
    const refused = planServiceSlices({ ...world, zoneShares: () => undefined });
    expect(refused.hints.get('IPv4')).toMatchObject({ refused: expect.stringContaining('Node') });
    expect(refused.plan.create[0]?.endpoints?.[0]?.hints).toBeUndefined();
  });

  it.each([
    { name: 'a ready pod', pod: pod(1), want: { ready: true, serving: true, terminating: false } },
    {
      name: 'a pod that is not ready',
      pod: pod(1, false),
      want: { ready: false, serving: false, terminating: false },
    },
    {
      name: 'a pod that goes',
      pod: pod(1, true, { deletionTimestamp: 't' }),
      want: { ready: false, serving: true, terminating: true },
    },
  ])('says of $name what it is', ({ pod: one, want }) => {
    const [slice] = plan(service(), [one]).create;
    expect(slice?.endpoints?.[0]?.conditions).toEqual(want);
  });

  it.each([
    { name: 'nobody', wish: undefined, want: undefined },
    { name: 'its zone', wish: 'PreferClose', want: { forZones: [{ name: 'z-k1' }] } },
    {
      name: 'its zone by the newer name',
      wish: 'PreferSameZone',
      want: { forZones: [{ name: 'z-k1' }] },
    },
    {
      name: 'its node',
      wish: 'PreferSameNode',
      want: { forZones: [{ name: 'z-k1' }], forNodes: [{ name: 'k1' }] },
    },
  ])('is meant for $name', ({ wish, want }) => {
    const [slice] = plan(service({ trafficDistribution: wish }), [pod(1)]).create;
    expect(slice?.endpoints?.[0]).toMatchObject({ zone: 'z-k1' });
    expect(slice?.endpoints?.[0]?.hints).toEqual(want);
  });
});
