import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume } from '@orrery/api';
import { isWanted, leftoverOf } from './local-path.decide.js';

const DIR = '/var/{node}/volumes';

const released = (path: string, more: object = {}): PersistentVolume =>
  ({
    metadata: {
      name: 'pvc-1',
      annotations: {
        'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path',
        'local.path.provisioner/selected-node': 'k1',
      },
    },
    spec: { hostPath: { path }, persistentVolumeReclaimPolicy: 'Delete' },
    status: { phase: 'Released' },
    ...more,
  }) as PersistentVolume;

describe('leftoverOf()', () => {
  const FINE = '/var/k1/volumes/pvc-1_n_c';
  it.each([
    { name: 'is the folder of a released volume', volume: released(FINE), want: FINE },
    { name: 'is never above the folder', volume: released('/var/k1/volumes/../../etc') },
    { name: 'is never the folder itself', volume: released('/var/k1/volumes') },
    { name: 'is never on another node', volume: released('/var/k2/volumes/pvc-1') },
    { name: 'is nothing else in the folder', volume: released('/var/k1/volumes/mine') },
    {
      name: 'is nothing of a volume in use',
      volume: released(FINE, { status: { phase: 'Bound' } }),
    },
    {
      name: 'is nothing of a volume made by others',
      volume: released(FINE, { metadata: { name: 'pvc-1' } }),
    },
    {
      name: 'is nothing of what is to be retained',
      volume: released(FINE, {
        spec: { hostPath: { path: FINE }, persistentVolumeReclaimPolicy: 'Retain' },
      }),
    },
  ])('$name', ({ volume, want }) => {
    expect(leftoverOf(volume, DIR)).toEqual(want ? { node: 'k1', path: want } : undefined);
  });
});

describe('isWanted()', () => {
  const annotations = { 'volume.kubernetes.io/storage-provisioner': 'rancher.io/local-path' };
  it.each([
    { name: 'a claim of this provisioner', metadata: { annotations }, spec: {}, want: true },
    { name: 'not one of another', metadata: {}, spec: {}, want: false },
    {
      name: 'not one that has its volume',
      metadata: { annotations },
      spec: { volumeName: 'v' },
      want: false,
    },
    {
      name: 'not one that goes',
      metadata: { annotations, deletionTimestamp: 't' },
      spec: {},
      want: false,
    },
  ])('$name', ({ metadata, spec, want }) => {
    expect(isWanted({ metadata, spec })).toBe(want);
  });
});
