import { describe, expect, it } from '@jest/globals';
import type { PersistentVolumeClaim, Pod } from '@orrery/api';
import { PROTECTION, mayGo } from './pvc-protection.reconciler.js';

const claim = (metadata: object): PersistentVolumeClaim =>
  ({ metadata: { name: 'data', ...metadata } }) as PersistentVolumeClaim;
const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [PROTECTION] };

const pod = (volume: object, phase = 'Running'): Pod =>
  ({ metadata: { name: 'p' }, spec: { volumes: [volume] }, status: { phase } }) as unknown as Pod;
const user = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };

describe('mayGo()', () => {
  it.each([
    { name: 'a claim that is not deleted stays', of: claim({}), pods: [], want: false },
    { name: 'an unused claim goes', of: claim(deleted), pods: [], want: true },
    { name: 'a used claim stays', of: claim(deleted), pods: [pod(user)], want: false },
    {
      name: 'a claim of a pod that ended goes',
      of: claim(deleted),
      pods: [pod(user, 'Succeeded')],
      want: true,
    },
    {
      name: 'a claim of an ephemeral volume stays',
      of: claim({ ...deleted, name: 'p-v' }),
      pods: [pod({ name: 'v', ephemeral: {} })],
      want: false,
    },
    {
      name: 'a claim without the finalizer is not ours',
      of: claim({ deletionTimestamp: 'x' }),
      pods: [],
      want: false,
    },
  ])('$name', ({ of, pods, want }) => {
    expect(mayGo(of, pods)).toBe(want);
  });
});
