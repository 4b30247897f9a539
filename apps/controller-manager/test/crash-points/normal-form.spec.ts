import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { normalForm } from './normal-form.js';

const OWNER = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

const owner = (uid: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Set',
  metadata: { name: 'set', namespace: 'a', uid, resourceVersion, generation: 2 },
});

const child = (name: string, uid: string, extra: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    generateName: 'set-',
    namespace: 'a',
    ownerReferences: [{ apiVersion: 'v1', kind: 'Set', name: 'set', uid }],
  },
  ...extra,
});

describe('normalForm()', () => {
  it.each([
    {
      name: 'is the same whatever uids, names and revisions chance gave',
      a: [owner(OWNER, '1'), child('set-abc', OWNER)],
      b: [child('set-xyz', OTHER), owner(OTHER, '7')],
      same: true,
    },
    {
      name: 'differs when an owner is gone',
      a: [owner(OWNER, '1'), child('set-abc', OWNER)],
      b: [owner(OWNER, '1'), child('set-abc', OTHER)],
      same: false,
    },
    {
      name: 'differs by an object more',
      a: [owner(OWNER, '1'), child('set-abc', OWNER)],
      b: [owner(OWNER, '1'), child('set-abc', OWNER), child('set-xyz', OWNER)],
      same: false,
    },
    {
      name: 'does not see times, and the order of conditions',
      a: [
        child('set-a', OWNER, {
          status: { conditions: [{ at: '2026-01-01T00:00:00Z' }, { b: 1 }] },
        }),
      ],
      b: [
        child('set-a', OWNER, {
          status: { conditions: [{ b: 1 }, { at: '2027-01-01T00:00:01Z' }] },
        }),
      ],
      same: true,
    },
    {
      name: 'sees whether the newest generation was observed',
      a: [{ ...owner(OWNER, '1'), status: { observedGeneration: 2 } } as KubeObject],
      b: [{ ...owner(OWNER, '1'), status: { observedGeneration: 1 } } as KubeObject],
      same: false,
    },
  ])('$name', ({ a, b, same }) => {
    expect(JSON.stringify(normalForm(a)) === JSON.stringify(normalForm(b))).toBe(same);
  });
});
