import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../types.js';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import type { KindDescriptor } from '../../../kind.js';
import { PersistentVolumeClaimKind } from '../persistentvolumeclaim/persistentvolumeclaim.kind.js';
import { PersistentVolumeKind } from './persistentvolume.kind.js';

const volume = (source: object): object => ({ spec: { hostPath: undefined, ...source } });
const PORTAL = '10.0.0.1:3260';
const TOO_LONG =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

describe('the source of a persistent volume', () => {
  it.each<Refused>([
    {
      name: 'a host path of no path',
      change: volume({ hostPath: { path: '', type: 'Nothing' } }),
      want: ['spec.hostPath.path: Required value'],
    },
    {
      name: 'a local volume of no path',
      change: volume({ local: { path: '' }, nodeAffinity: {} }),
      want: [
        'spec.nodeAffinity.required: Required value: must specify required node constraints',
        'spec.local.path: Required value',
      ],
    },
    {
      name: 'iSCSI with names of other forms and a secret of no name',
      change: volume({
        iscsi: { targetPortal: PORTAL, iqn: 'disk', initiatorName: 'me', secretRef: {}, lun: 0 },
      }),
      want: [
        'spec.iscsi.iqn: Invalid value: "disk": must be valid format',
        'spec.iscsi.secretRef.name: Required value',
        'spec.iscsi.initiatorname: Invalid value: "me": must be valid format',
      ],
    },
    {
      name: 'iSCSI of an initiator whose portal has a long name',
      change: volume({
        iscsi: {
          targetPortal: 'p'.repeat(64),
          iqn: 'iqn.2001-04.com.example:disk',
          initiatorName: 'iqn.2001-04.com.example:me',
          lun: 0,
        },
      }),
      want: [`spec.iscsi.targetportal: Invalid value: "${'p'.repeat(64)}": ${TOO_LONG}`],
    },
    {
      name: 'secrets without a namespace',
      change: volume({ cinder: { volumeID: 'v', secretRef: { name: 's' } } }),
      want: ['spec.cinder.secretRef.namespace: Required value'],
    },
    {
      name: 'a StorageOS secret without a namespace',
      change: volume({ storageos: { volumeName: 'v', secretRef: { name: 's' } } }),
      want: ['spec.storageos.secretRef.namespace: Required value'],
    },
    {
      name: 'endpoints in a namespace of no name',
      change: volume({ glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } }),
      want: [
        'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
      ],
    },
    {
      name: 'an Azure secret in a namespace of no name',
      change: volume({ azureFile: { secretName: 's', shareName: 'h', secretNamespace: '' } }),
      want: ['spec.azureFile.secretNamespace: Required value'],
    },
    {
      name: 'a CSI driver of no name',
      change: volume({ csi: { driver: '', volumeHandle: 'h' } }),
      want: ['spec.csi.driver: Required value'],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(PersistentVolumeKind, change)).toEqual(want);
  });
});

const affinity = (key: string): object => ({
  spec: {
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] },
    },
  },
});

describe('the node affinity of a persistent volume', () => {
  it.each([
    ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
    ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
    ['beta.kubernetes.io/os', 'kubernetes.io/os'],
    ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
    ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
  ])('may name %s by its later label %s', (old, now) => {
    expect(updateRefusals(PersistentVolumeKind, affinity(old), affinity(now))).toEqual([]);
  });

  it('is given once', () => {
    expect(updateRefusals(PersistentVolumeKind, {}, affinity('a'))).toEqual([]);
    expect(updateRefusals(PersistentVolumeKind, affinity('a'), affinity('b'))).toEqual([
      expect.stringMatching(
        /^nodeAffinity: Invalid value: .*: field is immutable, except for updating from beta label to GA$/,
      ),
    ]);
  });

  it.each(['', undefined])('without a key (%p) is refused for that alone', (key) => {
    const now = affinity(key as unknown as string);
    expect(updateRefusals(PersistentVolumeKind, affinity('a'), now)).toEqual([
      expect.stringMatching(/^spec\.nodeAffinity\.required.*\.key: /),
      expect.stringMatching(/^spec\.nodeAffinity\.required.*\.key: /),
    ]);
  });

  it('keeps values that once were legal', () => {
    const bad = (capacity: string): object => ({
      spec: {
        capacity: { storage: capacity },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'a', operator: 'In', values: ['-bad-'] }] },
            ],
          },
        },
      },
    });
    expect(updateRefusals(PersistentVolumeKind, bad('1Gi'), bad('2Gi'))).toEqual([]);
    expect(refusals(PersistentVolumeKind, bad('1Gi'))).toHaveLength(1);
  });
});

/** The object as it is stored, and what its writer is told. */
function created<T extends PersistentVolume | PersistentVolumeClaim>(
  kind: KindDescriptor<T>,
  change: object,
): { object: T; warnings: string[] } {
  const warnings: string[] = [];
  const object = objectOf(kind, change);
  const told = { ...context, warn: (text: string) => void warnings.push(text) };
  kind.strategy.prepareForCreate?.(object, told);
  expect(kind.strategy.validate?.(object, told)).toEqual([]);
  return { object, warnings };
}

const CLASS = 'volume.beta.kubernetes.io/storage-class';
const OLD_CLASS = `metadata.annotations[${CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`;

describe('warnings about volumes', () => {
  it.each<{ name: string; change: object; want: string[] }>([
    {
      name: 'the class in an annotation',
      change: { metadata: { annotations: { [CLASS]: 'fast' } } },
      want: [OLD_CLASS],
    },
    {
      name: 'recycling',
      change: { spec: { persistentVolumeReclaimPolicy: 'Recycle' } },
      want: [
        'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      ],
    },
    {
      name: 'labels of old and drivers that are gone',
      change: {
        spec: {
          ...(affinity('beta.kubernetes.io/os') as { spec: object }).spec,
          hostPath: undefined,
          rbd: { monitors: ['m'], image: 'i' },
        },
      },
      want: [
        'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
        'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
      ],
    },
  ])('tell of $name', ({ change, want }) => {
    expect(created(PersistentVolumeKind, change).warnings).toEqual(want);
  });

  it('tell of a claim that asks for parts of bytes or names its class in an annotation', () => {
    const change = {
      metadata: { annotations: { [CLASS]: 'fast' } },
      spec: { resources: { requests: { storage: '1500m' } } },
    };
    expect(created(PersistentVolumeClaimKind, change).warnings).toEqual([
      OLD_CLASS,
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ]);
  });
});

const SNAPSHOT = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
const OTHER = { apiGroup: 'example.com', kind: 'Backup', name: 'b' };

describe('the data source of a new claim', () => {
  it.each<{ name: string; spec: object; want: object }>([
    {
      name: 'by dataSource stands in both fields',
      spec: { dataSource: SNAPSHOT },
      want: { dataSource: SNAPSHOT, dataSourceRef: SNAPSHOT },
    },
    {
      name: 'by dataSourceRef stands in both fields',
      spec: { dataSourceRef: OTHER },
      want: { dataSource: OTHER, dataSourceRef: OTHER },
    },
    {
      name: 'of another kind is dropped where only dataSource names it',
      spec: { dataSource: OTHER },
      want: {},
    },
    {
      name: 'in another namespace is dropped',
      spec: { dataSourceRef: { ...OTHER, namespace: 'other' } },
      want: {},
    },
  ])('$name', ({ spec, want }) => {
    const { dataSource, dataSourceRef } = created(PersistentVolumeClaimKind, { spec }).object.spec;
    expect(JSON.parse(JSON.stringify({ dataSource, dataSourceRef }))).toEqual(want);
  });
});

it.each([
  { name: 'in one field alone', stored: { dataSource: OTHER, dataSourceRef: OTHER }, given: OTHER },
  { name: 'that an old server stored in one field', stored: { dataSource: OTHER }, given: OTHER },
])('the data source of an update may be given $name', ({ stored, given }) => {
  for (const spec of [{ dataSource: given }, { dataSourceRef: given }]) {
    expect(updateRefusals(PersistentVolumeClaimKind, { spec: stored }, { spec })).toEqual([]);
    const object = objectOf(PersistentVolumeClaimKind, { spec });
    const old = objectOf(PersistentVolumeClaimKind, { spec: stored });
    PersistentVolumeClaimKind.strategy.prepareForUpdate?.(object, old, context);
    expect(object.spec).toMatchObject({ dataSource: OTHER, dataSourceRef: OTHER });
  }
});

const claim = (spec: object, status: object = {}): object => ({ spec, status });

describe('the update of a claim', () => {
  it.each<RefusedUpdate>([
    {
      name: 'an annotation of another class beside the first class',
      before: claim({}),
      after: {
        ...claim({ storageClassName: 'fast' }),
        metadata: { annotations: { [CLASS]: 'x' } },
      },
      want: [`metadata.annotations.${CLASS}: Invalid value: "x": field is immutable`],
    },
    {
      name: 'states of sizes that nobody knows',
      before: claim({}),
      after: claim({}, { allocatedResourceStatuses: { storage: 'Growing' } }),
      want: [
        'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    const path = 'status' in after && 'spec' in after && want[0]?.startsWith('status');
    expect(
      updateRefusals(PersistentVolumeClaimKind, before, after, path ? 'status' : undefined),
    ).toEqual(want);
  });

  it('may leave a source and a selector that once were legal', () => {
    const bad = (size: string): object => ({
      spec: {
        dataSourceRef: { ...OTHER, apiGroup: 'Example' },
        dataSource: { ...OTHER, apiGroup: 'Example' },
        selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['-bad-'] }] },
        resources: { requests: { storage: size } },
      },
      status: { phase: 'Bound' },
    });
    expect(updateRefusals(PersistentVolumeClaimKind, bad('1Gi'), bad('2Gi'))).toEqual([]);
  });
});
