import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@orrery/api';
import { claimBoundTo, volumeBoundTo } from './binding.js';
import { decideClaim } from './claim.decide.js';
import type { ClaimDecision } from './claim.decide.js';
import { decideVolume, unbound } from './volume.decide.js';
import type { VolumeDecision } from './volume.decide.js';

const claim = (
  spec: object = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim =>
  ({
    metadata: { name: 'c', namespace: 'n', uid: 'u', annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '2Gi' } },
      ...spec,
    },
  }) as PersistentVolumeClaim;

const volume = (name: string, size: string, spec: object = {}): PersistentVolume => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
    capacity: { storage: size },
    storageClassName: 'fast',
    ...spec,
  },
  status: { phase: 'Available' },
});

const storage = (name: string, more: object = {}): StorageClass => ({
  metadata: { name },
  provisioner: 'p.example.com',
  ...more,
});

const kept = { claimRef: { namespace: 'n', name: 'c', uid: 'u' } };
const others = { claimRef: { namespace: 'n', name: 'other', uid: 'o' } };
const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' };
const WAITS = { volumeBindingMode: 'WaitForFirstConsumer' };
const DEFAULT = {
  metadata: { name: 'd', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
};
const SELECTED = { 'volume.kubernetes.io/selected-node': 'k1' };

/** act, and what with. */
function summary(decision: ClaimDecision): string[] {
  const { act } = decision;
  if (act === 'bind') return [act, decision.volume.metadata.name ?? ''];
  if (act === 'set-class') return [act, decision.name];
  return decision.event ? [act, decision.event.reason] : [act];
}

describe('decideClaim()', () => {
  it.each<{
    name: string;
    claim?: PersistentVolumeClaim;
    volumes?: PersistentVolume[];
    classes?: StorageClass[];
    users?: Pod[];
    want: string[];
  }>([
    {
      name: 'takes the smallest that fits',
      volumes: [volume('a', '9Gi'), volume('b', '3Gi'), volume('c', '1Gi')],
      want: ['bind', 'b'],
    },
    {
      name: 'takes the one that is kept for it, though it is larger',
      volumes: [volume('a', '2Gi'), volume('b', '9Gi', kept)],
      want: ['bind', 'b'],
    },
    {
      name: 'leaves what is kept for others',
      volumes: [volume('a', '2Gi', others)],
      classes: [storage('fast')],
      want: ['provision', 'ExternalProvisioning'],
    },
    {
      name: 'needs all access modes',
      claim: claim({ accessModes: ['ReadWriteMany'] }),
      volumes: [volume('a', '2Gi')],
      classes: [storage('fast')],
      want: ['provision', 'ExternalProvisioning'],
    },
    {
      name: 'needs the volume mode',
      claim: claim({ volumeMode: 'Block' }),
      volumes: [volume('a', '2Gi')],
      classes: [storage('fast')],
      want: ['provision', 'ExternalProvisioning'],
    },
    {
      name: 'obeys the selector',
      claim: claim({ selector: { matchLabels: { a: 'b' } } }),
      volumes: [volume('a', '2Gi')],
      classes: [storage('fast')],
      want: ['provision', 'ExternalProvisioning'],
    },
    {
      name: 'waits for the first pod',
      volumes: [volume('a', '2Gi')],
      classes: [storage('fast', WAITS)],
      want: ['wait', 'WaitForFirstConsumer'],
    },
    {
      name: 'tells of pods that wait',
      classes: [storage('fast', WAITS)],
      users: [{ metadata: { name: 'p' }, spec: { containers: [] } }],
      want: ['wait', 'WaitForPodScheduled'],
    },
    {
      name: 'binds before that what is kept for it',
      volumes: [volume('a', '2Gi', kept)],
      classes: [storage('fast', WAITS)],
      want: ['bind', 'a'],
    },
    {
      name: 'provisions when the node is chosen',
      claim: claim({}, SELECTED),
      classes: [storage('fast', WAITS)],
      want: ['provision', 'ExternalProvisioning'],
    },
    { name: 'needs the class', want: ['wait', 'ProvisioningFailed'] },
    {
      name: 'has no drivers of its own',
      classes: [storage('fast', { provisioner: 'kubernetes.io/no-provisioner' })],
      want: ['wait', 'ProvisioningFailed'],
    },
    {
      name: 'gets the default class when there is one',
      claim: claim({ storageClassName: undefined }),
      classes: [storage('d', DEFAULT)],
      want: ['set-class', 'd'],
    },
    {
      name: 'does not when it wants none',
      claim: claim({ storageClassName: '' }),
      classes: [storage('d', DEFAULT)],
      want: ['wait', 'FailedBinding'],
    },
    {
      name: 'waits for the volume that it names',
      claim: claim({ volumeName: 'a' }),
      want: ['wait'],
    },
    {
      name: 'takes the volume that it names',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', '2Gi')],
      want: ['bind', 'a'],
    },
    {
      name: 'does not take it when it is too small',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', '1Gi')],
      want: ['wait', 'VolumeMismatch'],
    },
    {
      name: 'does not take it from others',
      claim: claim({ volumeName: 'a' }),
      volumes: [volume('a', '2Gi', others)],
      want: ['wait', 'FailedBinding'],
    },
    {
      name: 'stays bound',
      claim: claim({ volumeName: 'a' }, BOUND),
      volumes: [volume('a', '1Gi', kept)],
      want: ['bind', 'a'],
    },
    {
      name: 'is lost without its volume',
      claim: claim({ volumeName: 'a' }, BOUND),
      want: ['lose', 'ClaimLost'],
    },
    { name: 'is lost without a name', claim: claim({}, BOUND), want: ['lose', 'ClaimLost'] },
    {
      name: 'is misbound when the volume is another’s',
      claim: claim({ volumeName: 'a' }, BOUND),
      volumes: [volume('a', '2Gi', others)],
      want: ['lose', 'ClaimMisbound'],
    },
  ])('$name', ({ claim: one = claim(), volumes = [], classes = [], users = [], want }) => {
    const world = { claim: one, volumes, classes, users, provisioning: true };
    expect(summary(decideClaim(world))).toEqual(want);
  });
});

function outcome(decision: VolumeDecision): string[] {
  if (decision.act === 'phase') return [decision.act, decision.phase];
  if (decision.act === 'release' && decision.failure)
    return [decision.act, decision.failure.reason];
  return [decision.act];
}

describe('decideVolume()', () => {
  const bySomebody = { 'pv.kubernetes.io/provisioned-by': 'p' };
  const policy = (name: string, annotations: Record<string, string> = {}): PersistentVolume => ({
    ...volume('v', '2Gi', { ...kept, persistentVolumeReclaimPolicy: name }),
    metadata: { name: 'v', annotations },
  });
  it.each<{
    name: string;
    volume: PersistentVolume;
    claim?: PersistentVolumeClaim;
    want: string[];
  }>([
    { name: 'is free without a claim', volume: volume('v', '2Gi'), want: ['phase', 'Available'] },
    {
      name: 'is free while its claim has not come',
      volume: volume('v', '2Gi', { claimRef: { namespace: 'n', name: 'c' } }),
      want: ['phase', 'Available'],
    },
    {
      name: 'has its claim look',
      volume: volume('v', '2Gi', kept),
      claim: claim(),
      want: ['look-at-claim'],
    },
    {
      name: 'tells of another mode',
      volume: volume('v', '2Gi', kept),
      claim: claim({ volumeMode: 'Block' }),
      want: ['mismatch'],
    },
    {
      name: 'is bound',
      volume: volume('v', '2Gi', kept),
      claim: claim({ volumeName: 'v' }),
      want: ['phase', 'Bound'],
    },
    {
      name: 'is free again when the claim took another',
      volume: volume('v', '2Gi', kept),
      claim: claim({ volumeName: 'w' }),
      want: ['unbind'],
    },
    {
      name: 'is released when it was made for nothing',
      volume: policy('Delete', bySomebody),
      claim: claim({ volumeName: 'w' }),
      want: ['release'],
    },
    { name: 'is released without its claim', volume: policy('Retain'), want: ['release'] },
    { name: 'is left to who made it', volume: policy('Delete', bySomebody), want: ['release'] },
    {
      name: 'fails when nobody made it',
      volume: policy('Delete'),
      want: ['release', 'VolumeFailedDelete'],
    },
    {
      name: 'cannot be recycled',
      volume: policy('Recycle'),
      want: ['release', 'VolumeFailedRecycle'],
    },
  ])('$name', ({ volume: one, claim: its, want }) => {
    expect(outcome(decideVolume(one, its))).toEqual(want);
  });
});

describe('a binding', () => {
  it('says who chose, and is undone by that', () => {
    const free = volume('v', '2Gi');
    const taken = volumeBoundTo(free, claim());
    expect(taken.metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' });
    expect(unbound(taken).spec).toEqual(free.spec);
    const named = volume('v', '2Gi', { claimRef: { namespace: 'n', name: 'c' } });
    expect(unbound(volumeBoundTo(named, claim())).spec?.claimRef).toMatchObject({ name: 'c' });
    expect(unbound(volumeBoundTo(named, claim())).spec?.claimRef?.uid).toBeUndefined();
  });

  it('is the same when done twice', () => {
    const taken = volumeBoundTo(volume('v', '2Gi'), claim());
    const given = claimBoundTo(claim(), taken);
    expect(volumeBoundTo(taken, given)).toEqual(taken);
    expect(claimBoundTo(given, taken)).toEqual(given);
  });
});
