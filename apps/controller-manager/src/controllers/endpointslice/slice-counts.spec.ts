import { describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Service } from '@orrery/api';
import { distributionOf } from './endpointslice.metrics.js';
import { efficiencyOf, movesOf } from './slice-counts.js';
import type { SlicePlan } from './slice-packing.js';

const slice = (name: string, addresses: readonly string[], port = 80): EndpointSlice => ({
  metadata: { name },
  addressType: 'IPv4',
  ports: [{ name: '', port, protocol: 'TCP' }],
  endpoints: addresses.map((address) => ({ addresses: [address] })),
});

const plan = (more: Partial<SlicePlan>): SlicePlan => ({
  create: [],
  update: [],
  remove: [],
  ...more,
});

describe.each([
  {
    name: 'the first slice',
    existing: [],
    plan: plan({ create: [slice('', ['a', 'b'])] }),
    want: { added: 2, removed: 0, endpoints: 2, slices: 1, desired: 1 },
  },
  {
    name: 'one endpoint for another',
    existing: [slice('s', ['a', 'b'])],
    plan: plan({ update: [slice('s', ['a', 'c'])] }),
    want: { added: 1, removed: 1, endpoints: 2, slices: 1, desired: 1 },
  },
  {
    name: 'an endpoint that moves to another slice',
    existing: [slice('s', ['a', 'b']), slice('t', ['c'])],
    plan: plan({ update: [slice('s', ['a', 'b', 'c'])], remove: [slice('t', ['c'])] }),
    want: { added: 0, removed: 0, endpoints: 3, slices: 1, desired: 2 },
  },
  {
    name: 'the same address behind two sets of ports',
    existing: [slice('s', ['a'])],
    plan: plan({ create: [slice('', ['a'], 81)] }),
    want: { added: 1, removed: 0, endpoints: 2, slices: 2, desired: 2 },
  },
  {
    name: 'a placeholder',
    existing: [slice('s', ['a'])],
    plan: plan({ update: [slice('s', [])] }),
    want: { added: 0, removed: 1, endpoints: 0, slices: 1, desired: 1 },
  },
])('$name', ({ existing, plan: one, want }) => {
  it('is counted', () => {
    const options = { most: 2, of: 'Service' as const };
    expect({ ...movesOf(existing, one), ...efficiencyOf(existing, one, options) }).toEqual(want);
  });
});

it('wants no slice of Endpoints that say nothing', () => {
  expect(efficiencyOf([], plan({}), { most: 2, of: 'Endpoints' }).desired).toBe(0);
});

describe('distributionOf()', () => {
  it.each([
    [undefined, undefined],
    ['PreferClose', 'PreferClose'],
    ['PreferSameZone', 'PreferSameZone'],
    ['PreferSameNode', 'PreferSameNode'],
    ['acme.io/best', 'ImplementationSpecific'],
  ])('%s: %s', (trafficDistribution, want) => {
    const service = { metadata: {}, spec: { trafficDistribution } } as Service;
    expect(distributionOf(service)).toBe(want);
  });
});
