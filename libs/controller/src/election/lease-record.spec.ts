import { describe, expect, it } from '@jest/globals';
import type { Lease } from '@orrery/api';
import { decideElection, leaseRecord } from './lease-record.js';

const lease = (holderIdentity: string, more: object = {}, resourceVersion = '5'): Lease => ({
  metadata: { name: 'l', resourceVersion },
  spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 2, ...more },
});

describe('decideElection()', () => {
  it.each([
    { name: 'takes a lease that nobody holds', held: lease(''), want: 'take' },
    { name: 'renews its own', held: lease('me'), want: 'take' },
    { name: 'waits when it first sees that of another', held: lease('other'), want: 'wait' },
    {
      name: 'waits while the other may renew',
      held: lease('other'),
      seenAt: 0,
      now: 15_000,
      want: 'wait',
    },
    {
      name: 'takes what was not renewed in time',
      held: lease('other'),
      seenAt: 0,
      now: 15_001,
      want: 'take',
    },
    {
      name: 'waits as long as the other promised, if that is longer',
      held: lease('other', { leaseDurationSeconds: 60 }),
      seenAt: 0,
      now: 15_001,
      want: 'wait',
    },
    {
      name: 'counts anew from each renewal',
      held: lease('other', {}, '6'),
      seenAt: 0,
      now: 15_001,
      want: 'wait',
    },
    {
      name: 'does not believe the clock of the other: only its own counts',
      held: lease('other', { renewTime: '1999-01-01T00:00:00.000000Z' }),
      seenAt: 0,
      now: 14_000,
      want: 'wait',
    },
  ])('$name', ({ held, seenAt, now = 20_000, want }) => {
    const observed = seenAt === undefined ? undefined : { lease: lease('other'), at: seenAt };
    const input = { lease: held, observed, identity: 'me', now, leaseDurationMs: 15_000 };
    expect(decideElection(input).action).toBe(want);
  });
});

describe('leaseRecord()', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');
  const TIME = '2026-01-01T00:00:00.000000Z';

  it.each([
    {
      name: 'begins with no transition',
      old: undefined,
      want: { holderIdentity: 'me', leaseTransitions: 0, acquireTime: TIME, renewTime: TIME },
    },
    {
      name: 'counts the passing from another',
      old: lease('other').spec,
      want: { leaseTransitions: 3, acquireTime: TIME },
    },
    {
      name: 'keeps count and beginning when it is renewed',
      old: lease('me', { acquireTime: '2025-12-31T00:00:00.000000Z' }).spec,
      want: { leaseTransitions: 2, acquireTime: '2025-12-31T00:00:00.000000Z', renewTime: TIME },
    },
  ])('$name', ({ old, want }) => {
    expect(leaseRecord('me', 15_000, NOW, old)).toMatchObject(want);
  });
});
