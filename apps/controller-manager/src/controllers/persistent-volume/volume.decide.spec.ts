import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { decideVolume, unbound } from './volume.decide.js';

const MADE = { 'pv.kubernetes.io/provisioned-by': 'x' };

const volume = (spec: object = {}, annotations?: Record<string, string>): PersistentVolume => ({
  metadata: { name: 'v', ...(annotations ? { annotations } : {}) },
  spec: { claimRef: { namespace: 'd', name: 'c', uid: 'u' }, ...spec },
});

const claim = (spec: object = {}, uid = 'u'): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'd', uid },
  spec,
});

describe('decideVolume()', () => {
  it.each([
    {
      name: 'is available without a claim',
      volume: volume({ claimRef: undefined }),
      want: { act: 'phase', phase: 'Available' },
    },
    {
      name: 'is available while it waits for a claim by name',
      volume: volume({ claimRef: { name: 'c' } }),
      want: { act: 'phase', phase: 'Available' },
    },
    {
      name: 'is bound to the claim that names it',
      claim: claim({ volumeName: 'v' }),
      want: { act: 'phase', phase: 'Bound' },
    },
    { name: 'has its claim look at it', claim: claim(), want: { act: 'look-at-claim' } },
    {
      name: 'is let go when its claim took another',
      claim: claim({ volumeName: 'w' }),
      want: { act: 'unbind' },
    },
    { name: 'is released when its claim is gone', want: { act: 'release' } },
    {
      name: 'is released when another claim has the name',
      claim: claim({ volumeName: 'v' }, 'other'),
      want: { act: 'release' },
    },
    {
      name: 'is to be deleted when it was made for a claim that took another',
      volume: volume({ persistentVolumeReclaimPolicy: 'Delete' }, MADE),
      claim: claim({ volumeName: 'w' }),
      want: { act: 'release' },
    },
    {
      name: 'is emptied when it is a folder that is used again',
      volume: volume({ persistentVolumeReclaimPolicy: 'Recycle', hostPath: { path: '/d' } }),
      want: { act: 'recycle' },
    },
  ])('$name', ({ volume: given = volume(), claim: its, want }) => {
    expect(decideVolume(given, its)).toEqual(want);
  });

  it.each([
    {
      policy: 'Recycle',
      reason: 'VolumeFailedRecycle',
      message: 'No recycler plugin found for the volume!',
    },
    {
      policy: 'Delete',
      reason: 'VolumeFailedDelete',
      message:
        'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
    },
  ])('says that it cannot $policy what nobody can', ({ policy, reason, message }) => {
    const given = volume({ persistentVolumeReclaimPolicy: policy });
    expect(decideVolume(given, undefined)).toEqual({
      act: 'release',
      failure: { type: 'Warning', reason, message },
    });
  });

  it('tells both of modes that do not fit', () => {
    const decision = decideVolume(volume({ volumeMode: 'Block' }), claim());
    expect(decision).toMatchObject({
      act: 'mismatch',
      volume: { reason: 'VolumeMismatch' },
      claim: {
        message:
          'Cannot bind PersistentVolume "v" to requested PersistentVolumeClaim "c" due to incompatible volumeMode.',
      },
    });
  });
});

describe('unbound()', () => {
  it.each([
    {
      name: 'forgets a claim that the binder chose',
      given: volume({}, { 'pv.kubernetes.io/bound-by-controller': 'yes' }),
      want: undefined,
    },
    {
      name: 'stays kept for the claim that a user named',
      given: volume(),
      want: { namespace: 'd', name: 'c' },
    },
  ])('$name', ({ given, want }) => {
    expect(unbound(given).spec?.claimRef).toEqual(want);
  });
});
