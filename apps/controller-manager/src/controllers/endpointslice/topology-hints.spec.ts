import { describe, expect, it } from '@jest/globals';
import type { Endpoint, Node } from '@orrery/api';
import { planZones, wantsTopologyHints, zoneShares } from './topology-hints.js';

const node = (zone: string | undefined, cpu: string, more: object = {}): Node =>
  ({
    metadata: {
      name: 'n',
      labels: { ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}), ...more },
    },
    spec: {},
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True' }] },
  }) as Node;

const endpoints = (counts: Record<string, number>): Endpoint[] =>
  Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, i) => ({
      addresses: [`${zone}-${i}`],
      ...(zone === '' ? {} : { zone }),
    })),
  );

/** How many endpoints take the traffic of each zone. */
function shares(counts: Record<string, number>, cpu: Record<string, number>): unknown {
  const nodes = Object.entries(cpu).map(([zone, amount]) => node(zone, String(amount)));
  const plan = planZones(endpoints(counts), zoneShares(nodes));
  if ('refused' in plan) return plan.refused;
  const zones = [...plan.zones.values()];
  return Object.fromEntries(
    Object.keys(cpu).map((zone) => [zone, zones.filter((one) => one === zone).length]),
  );
}

interface Case {
  readonly name: string;
  readonly counts: Record<string, number>;
  readonly cpu: Record<string, number>;
  readonly want: unknown;
}

describe('planZones()', () => {
  it.each<Case>([
    { name: 'even zones', counts: { a: 2, b: 2 }, cpu: { a: 4, b: 4 }, want: { a: 2, b: 2 } },
    { name: 'one gives', counts: { a: 4, b: 0 }, cpu: { a: 4, b: 4 }, want: { a: 2, b: 2 } },
    {
      name: 'by processors',
      counts: { a: 3, b: 3 },
      cpu: { a: 8, b: 4 },
      want: { a: 4, b: 2 },
    },
    {
      name: 'three zones',
      counts: { a: 6, b: 0, c: 0 },
      cpu: { a: 4, b: 4, c: 4 },
      want: { a: 2, b: 2, c: 2 },
    },
    {
      name: 'half an endpoint stays where it is',
      counts: { a: 5, b: 4 },
      cpu: { a: 4, b: 4 },
      want: { a: 5, b: 4 },
    },
    {
      name: 'too few endpoints',
      counts: { a: 1 },
      cpu: { a: 4, b: 4 },
      want: 'Insufficient number of endpoints (1 endpoints, 2 zones)',
    },
    {
      name: 'too much for some zone',
      counts: { a: 1, b: 1 },
      cpu: { a: 9, b: 1 },
      want: 'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (2 endpoints, 2 zones)',
    },
    {
      name: 'an endpoint in no zone',
      counts: { a: 3, '': 1 },
      cpu: { a: 4, b: 4 },
      want: 'One or more endpoints do not have a zone specified',
    },
    {
      name: 'one zone only',
      counts: { a: 3 },
      cpu: { a: 4 },
      want: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    },
  ])('$name', ({ counts, cpu, want }) => {
    expect(shares(counts, cpu)).toEqual(want);
  });
});

describe('zoneShares()', () => {
  it('leaves out the control plane and nodes that are not ready', () => {
    const down = { ...node('c', '8'), status: { allocatable: { cpu: '8' }, conditions: [] } };
    const plane = node('c', '8', { 'node-role.kubernetes.io/control-plane': '' });
    const found = zoneShares([node('a', '3'), node('b', '1'), down, plane]);
    expect(Object.fromEntries(found ?? [])).toEqual({ a: 0.75, b: 0.25 });
  });

  it('says nothing while a node has no zone', () => {
    expect(zoneShares([node('a', '3'), node('b', '1'), node(undefined, '1')])).toBeUndefined();
  });
});

describe('wantsTopologyHints()', () => {
  it.each<{ annotations: Record<string, string>; want: boolean }>([
    { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' }, want: true },
    { annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' }, want: true },
    { annotations: { 'service.kubernetes.io/topology-mode': 'Disabled' }, want: false },
    { annotations: {}, want: false },
  ])('$annotations: $want', ({ annotations, want }) => {
    expect(wantsTopologyHints({ metadata: { annotations }, spec: {} })).toBe(want);
  });
});
