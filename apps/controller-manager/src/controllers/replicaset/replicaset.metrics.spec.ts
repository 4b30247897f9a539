import { expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { ageRatios } from './replicaset.metrics.js';

const NOW = Date.parse('2026-01-01T00:01:00Z');

const pod = (seconds: number, ready = true): Pod =>
  ({
    metadata: { creationTimestamp: new Date(NOW - seconds * 1000).toISOString() },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as Pod;

it.each([
  { name: 'the youngest goes', ages: [10, 30], gone: [10], want: [1] },
  { name: 'older ones go, by whole multiples', ages: [10, 25, 40], gone: [25, 40], want: [2, 4] },
])('ageRatios(): $name', ({ ages, gone, want }) => {
  expect(
    ageRatios(
      ages.map((age) => pod(age)),
      gone.map((age) => pod(age)),
      NOW,
    ),
  ).toEqual(want);
});

it('ageRatios(): those that are not ready do not count', () => {
  expect(ageRatios([pod(1, false), pod(10)], [pod(1, false), pod(20)], NOW)).toEqual([2]);
});
