import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { decideExpansion, expansionStatus } from './expander.decide.js';

const claim = (asked: string, shown: string, more: object = {}): PersistentVolumeClaim =>
  ({
    metadata: { name: 'c', uid: 'u' },
    spec: { resources: { requests: { storage: asked } } },
    status: { phase: 'Bound', capacity: { storage: shown } },
    ...more,
  }) as PersistentVolumeClaim;

const volume = (size: string, by = 'rancher.io/local-path', uid = 'u'): PersistentVolume => ({
  metadata: { name: 'v', annotations: { 'pv.kubernetes.io/provisioned-by': by } },
  spec: { capacity: { storage: size }, claimRef: { uid } },
});

describe('decideExpansion()', () => {
  it.each([
    {
      name: 'leaves what is large enough',
      claim: claim('1Gi', '1Gi'),
      volume: volume('1Gi'),
      want: { act: 'none' },
    },
    {
      name: 'never shrinks',
      claim: claim('1Gi', '2Gi'),
      volume: volume('2Gi'),
      want: { act: 'none' },
    },
    {
      name: 'gives the volume the size first',
      claim: claim('2Gi', '1Gi'),
      volume: volume('1Gi'),
      want: { act: 'expand', size: '2Gi', growVolume: true },
    },
    {
      name: 'goes on where it was stopped',
      claim: claim('2Gi', '1Gi'),
      volume: volume('2Gi'),
      want: { act: 'expand', size: '2Gi', growVolume: false },
    },
    {
      name: 'leaves drivers of others to them',
      claim: claim('2Gi', '1Gi'),
      volume: volume('1Gi', 'csi.example.com'),
      want: { act: 'external', message: 'waiting for an external controller to expand this PVC' },
    },
    {
      name: 'leaves a volume of another claim',
      claim: claim('2Gi', '1Gi'),
      volume: volume('1Gi', undefined, 'x'),
      want: { act: 'none' },
    },
    {
      name: 'waits for the volume',
      claim: claim('2Gi', '1Gi'),
      volume: undefined,
      want: { act: 'none' },
    },
    {
      name: 'waits for the binding',
      claim: claim('2Gi', '1Gi', { status: { phase: 'Pending' } }),
      volume: volume('1Gi'),
      want: { act: 'none' },
    },
  ])('$name', ({ claim: one, volume: its, want }) => {
    expect(decideExpansion({ claim: one, volume: its, storage: undefined })).toEqual(want);
  });
});

describe('expansionStatus()', () => {
  it('says that it goes on, then the new size', () => {
    const begun = expansionStatus(claim('2Gi', '1Gi'), 0);
    expect(begun).toMatchObject({
      capacity: { storage: '1Gi' },
      conditions: [{ type: 'Resizing', status: 'True' }],
    });
    const ended = expansionStatus(claim('2Gi', '1Gi', { status: begun }), 0, '2Gi');
    expect(ended.capacity).toEqual({ storage: '2Gi' });
    expect(ended.conditions).toBeUndefined();
  });
});
