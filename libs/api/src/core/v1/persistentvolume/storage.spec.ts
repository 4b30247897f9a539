import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { PersistentVolumeClaimKind } from '../persistentvolumeclaim/persistentvolumeclaim.kind.js';
import { PersistentVolumeKind } from './persistentvolume.kind.js';

describe('a persistent volume', () => {
  it.each<Refused>([
    {
      name: 'no mode, no size and two sources',
      change: {
        spec: { accessModes: [], capacity: undefined, nfs: { server: 's', path: '/p' } },
      },
      want: [
        'spec.accessModes: Required value',
        'spec.capacity: Required value',
        'spec.capacity: Unsupported value: null: supported values: "storage"',
        'spec.nfs: Forbidden: may not specify more than 1 volume type',
      ],
    },
    {
      name: 'the root of a host recycled',
      change: {
        spec: { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
      },
      want: [
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      ],
    },
    {
      name: 'a local volume of no node',
      change: { spec: { hostPath: undefined, local: { path: '/x/../y' } } },
      want: [
        'spec.local.path: Invalid value: "/x/../y": must not contain \'..\'',
        'spec.nodeAffinity: Required value: Local volume requires node affinity',
      ],
    },
    {
      name: 'modes that exclude each other',
      change: { spec: { accessModes: ['ReadWriteOncePod', 'ReadOnlyMany', 'Some'] } },
      want: [
        'spec.accessModes: Unsupported value: "Some": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(PersistentVolumeKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its mode',
      before: { spec: { volumeMode: 'Filesystem' } },
      after: { spec: { volumeMode: 'Block' } },
      want: ['volumeMode: Invalid value: "Block": field is immutable'],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(updateRefusals(PersistentVolumeKind, before, after)).toEqual(want);
  });
});

describe('a persistent volume claim', () => {
  it.each<Refused>([
    {
      name: 'no mode and no size',
      change: { spec: { accessModes: [], resources: { requests: undefined } } },
      want: [
        'spec.accessModes: Required value: at least 1 access mode is required',
        'spec.resources[storage]: Required value',
      ],
    },
    {
      name: 'negative sizes, unknown modes, sources of other kinds',
      change: {
        spec: {
          accessModes: ['Some'],
          resources: { requests: { storage: '-1Gi' } },
          dataSourceRef: { kind: 'Pod', name: 'x' },
          volumeMode: 'Tape',
        },
      },
      want: [
        'spec.accessModes: Unsupported value: "Some": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.resources[storage]: Invalid value: "-1Gi": must be greater than zero',
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
        ...['dataSource', 'dataSourceRef'].map(
          (field) =>
            `spec.${field}: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
        ),
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(PersistentVolumeClaimKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its size from shrinking',
      before: {
        spec: { volumeName: 'v', resources: { requests: { storage: '2Gi' } } },
        status: { phase: 'Bound', capacity: { storage: '2Gi' } },
      },
      after: {
        spec: { volumeName: 'v', resources: { requests: { storage: '1Gi' } } },
        status: { phase: 'Bound', capacity: { storage: '2Gi' } },
      },
      want: [
        'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
      ],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(updateRefusals(PersistentVolumeClaimKind, before, after)).toEqual(want);
  });
});
