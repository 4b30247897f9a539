import { describe, expect, it } from '@jest/globals';
import type { Node } from '@orrery/api';
import { wantedTaints } from './node-lifecycle.decide.js';
import { judgeZones, zoneOf } from './zones.js';

const LIMITS = { normal: 0.1, secondary: 0.01, unhealthyThreshold: 0.55, largeClusterSize: 5 };

const node = (zone: string, ready: boolean, taints: object[] = []): Node =>
  ({
    metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': zone } },
    spec: { taints },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
  }) as Node;

const zone = (name: string, ready: number, unready: number): Node[] => [
  ...Array.from({ length: ready }, () => node(name, true)),
  ...Array.from({ length: unready }, () => node(name, false)),
];

describe('judgeZones()', () => {
  it.each([
    { name: 'evicts as usual', nodes: zone('a', 3, 2), want: { ':a': 0.1 } },
    {
      name: 'stops in a small zone with many out of order',
      nodes: zone('a', 2, 3),
      want: { ':a': 0 },
    },
    { name: 'slows down in a large one', nodes: zone('a', 2, 4), want: { ':a': 0.01 } },
    {
      name: 'judges each zone by itself',
      nodes: [...zone('a', 2, 3), ...zone('b', 3, 0)],
      want: { ':a': 0, ':b': 0.1 },
    },
    {
      name: 'goes on when a whole zone is out of order',
      nodes: [...zone('a', 0, 3), ...zone('b', 1, 0)],
      want: { ':a': 0.1, ':b': 0.1 },
    },
    {
      name: 'stops when all are',
      nodes: [...zone('a', 0, 3), ...zone('b', 0, 1)],
      want: { ':a': 0, ':b': 0 },
      isolated: true,
    },
  ])('$name', ({ nodes, want, isolated = false }) => {
    const found = judgeZones(nodes, LIMITS);
    expect(Object.fromEntries(found.rates)).toEqual(want);
    expect(found.isolated).toBe(isolated);
  });
});

describe('zoneOf()', () => {
  it.each([
    { name: 'nothing without labels', labels: {} as Record<string, string>, want: '' },
    {
      name: 'region and zone',
      labels: { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' },
      want: 'r:z',
    },
    {
      name: 'the old labels',
      labels: { 'failure-domain.beta.kubernetes.io/zone': 'z' },
      want: ':z',
    },
  ])('$name', ({ labels, want }) => {
    expect(zoneOf({ metadata: { labels }, spec: {} })).toBe(want);
  });
});

describe('wantedTaints()', () => {
  const keys = (taints: readonly { key: string; effect: string }[] | undefined): string[] =>
    (taints ?? []).map(({ key, effect }) => `${key.split('/')[1]}:${effect}`);
  const EXECUTE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
  it.each([
    {
      name: 'adds the eviction when it may',
      taints: [],
      evict: 'may' as const,
      want: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
    },
    {
      name: 'waits for its turn',
      taints: [],
      evict: 'wait' as const,
      want: ['unreachable:NoSchedule'],
    },
    {
      name: 'keeps the eviction while others wait',
      taints: [EXECUTE],
      evict: 'wait' as const,
      want: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
    },
    {
      name: 'takes it back when no node can be heard',
      taints: [EXECUTE],
      evict: 'never' as const,
      want: ['unreachable:NoSchedule'],
    },
  ])('$name', ({ taints, evict, want }) => {
    expect(keys(wantedTaints(node('a', false, taints), evict, 0))).toEqual(want);
  });
});
