import { describe, expect, it } from '@jest/globals';
import type { Pod, Taint, Toleration } from '@orrery/api';
import { departureOf } from './taint-eviction.decide.js';

const T = Date.parse('2026-01-01T00:00:00Z');
const NOW = T + 10_000;

const pod = (tolerations: Toleration[], createdAt = T - 60_000): Pod => ({
  metadata: { name: 'p', creationTimestamp: new Date(createdAt).toISOString() },
  spec: { containers: [], tolerations },
});

const taint = (key: string, more: object = {}): Taint => ({
  key,
  effect: 'NoExecute',
  timeAdded: new Date(T).toISOString(),
  ...more,
});

const tolerating = (key: string, tolerationSeconds?: number): Toleration => ({
  key,
  operator: 'Exists',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

describe('departureOf()', () => {
  it.each([
    { name: 'stays without taints', taints: [], pod: pod([]), want: 'never' },
    {
      name: 'stays under taints of other effects',
      taints: [taint('a', { effect: 'NoSchedule' })],
      pod: pod([]),
      want: 'never',
    },
    {
      name: 'leaves at once what it does not tolerate',
      taints: [taint('a')],
      pod: pod([]),
      want: NOW,
    },
    { name: 'stays for good', taints: [taint('a')], pod: pod([tolerating('a')]), want: 'never' },
    {
      name: 'stays for a while',
      taints: [taint('a')],
      pod: pod([tolerating('a', 300)]),
      want: T + 300_000,
    },
    {
      name: 'takes the shortest of its tolerations',
      taints: [taint('a')],
      pod: pod([tolerating('a', 300), tolerating('a', 60)]),
      want: T + 60_000,
    },
    {
      name: 'takes the shortest of the taints',
      taints: [taint('a'), taint('b')],
      pod: pod([tolerating('a', 300), tolerating('b', 30)]),
      want: T + 30_000,
    },
    {
      name: 'leaves at once for one taint of two',
      taints: [taint('a'), taint('b')],
      pod: pod([tolerating('a')]),
      want: NOW,
    },
    {
      name: 'counts from when it was first seen, when nobody says since when the taint is there',
      taints: [{ key: 'a', effect: 'NoExecute' as const }],
      pod: pod([tolerating('a', 5)]),
      want: NOW + 4000,
    },
    {
      name: 'counts from its own start when that is later',
      taints: [taint('a')],
      pod: pod([tolerating('a', 30)], T + 5000),
      want: T + 35_000,
    },
  ])('$name', ({ taints, pod: one, want }) => {
    expect(departureOf(one, taints, NOW, NOW - 1000)).toBe(want);
  });
});
