import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const plane = useControlPlane({
  controllers: [
    'persistentvolume-binder',
    'local-path-provisioner',
    'persistentvolume-expander',
    'ephemeral-volume',
    'attachdetach',
    'pv-protection',
    'pvc-protection',
  ],
  flags: (folder) => [`--local-path-dir=${join(folder, '{node}', 'volumes')}`],
});

const { persistentvolumeclaims: claims, persistentvolumes: volumes } = resources;

const claim = (
  name: string,
  spec: object = {},
  metadata: object = {},
): Promise<PersistentVolumeClaim> =>
  plane.create(claims, {
    metadata: { name, namespace: NS, ...metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  });

const volume = (name: string, spec: object = {}): Promise<PersistentVolume> =>
  plane.create(volumes, {
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: `/data/${name}` },
      storageClassName: 'manual',
      ...spec,
    },
  });

const phaseOf = (ref: typeof claims | typeof volumes, name: string, phase: string) =>
  plane.settled(
    ref as typeof volumes,
    ref === claims ? { namespace: NS, name } : { name },
    ({ status }) => status?.phase === phase,
  );

const annotate = (name: string, annotations: object): Promise<unknown> =>
  plane.client
    .resource(claims)
    .patch({ namespace: NS, name }, 'merge', { metadata: { annotations } });

const annotateVolume = (name: string, annotations: object): Promise<unknown> =>
  plane.client.resource(volumes).patch({ name }, 'merge', { metadata: { annotations } });

const remove = (name: string): Promise<void> =>
  plane.client.resource(claims).delete({ namespace: NS, name });

beforeAll(async () => {
  await plane.create(resources.nodes, {
    metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'host-1' } },
  });
  const local = { provisioner: 'rancher.io/local-path', volumeBindingMode: 'WaitForFirstConsumer' };
  await plane.create(resources.storageclasses, {
    metadata: {
      name: 'local',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    ...local,
    allowVolumeExpansion: true,
  });
});

describe('PersistentVolumes made by hand', () => {
  it('are taken by the claim that fits best, and released', async () => {
    await volume('big', { capacity: { storage: '5Gi' } });
    await volume('small');
    await phaseOf(volumes, 'small', 'Available');
    await phaseOf(volumes, 'big', 'Available');
    await claim('fits', { storageClassName: 'manual' });
    await phaseOf(claims, 'fits', 'Bound');
    const bound = await plane.get(claims, { namespace: NS, name: 'fits' });
    expect(bound.spec?.volumeName).toBe('small');
    expect(bound.status?.capacity).toEqual({ storage: '1Gi' });
    expect(bound.metadata.annotations).toMatchObject({
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    });
    const taken = await phaseOf(volumes, 'small', 'Bound');
    expect(taken.spec?.claimRef).toMatchObject({ namespace: NS, name: 'fits' });
    await remove('fits');
    await phaseOf(volumes, 'small', 'Released');
  });

  it('wait for the claim that they name, and say what does not fit', async () => {
    await claim('named', { volumeName: 'kept', storageClassName: 'manual' });
    await phaseOf(claims, 'named', 'Pending');
    await volume('kept', { capacity: { storage: '500Mi' } });
    expect(await plane.eventOf(NS, 'named', 'VolumeMismatch')).toBe(
      'Cannot bind to requested volume "kept": requested PV is too small',
    );
    await claim('early', {
      storageClassName: 'manual',
      resources: { requests: { storage: '9Gi' } },
    });
    await plane.eventOf(NS, 'early', 'ProvisioningFailed');
    const claimRef = { namespace: NS, name: 'early' };
    await volume('for-early', { capacity: { storage: '9Gi' }, claimRef });
    await phaseOf(claims, 'early', 'Bound');
  });

  it('fail when their policy cannot be carried out, and leave when nothing holds them', async () => {
    await volume('doomed', {
      persistentVolumeReclaimPolicy: 'Delete',
      capacity: { storage: '3Gi' },
    });
    await claim('short', { volumeName: 'doomed', storageClassName: 'manual' });
    await phaseOf(volumes, 'doomed', 'Bound');
    await plane.client.resource(volumes).delete({ name: 'doomed' });
    await remove('short');
    await eventually(async () => {
      const names = (await plane.list(volumes)).map(({ metadata }) => metadata.name);
      expect(names).not.toContain('doomed');
    });
    await volume('stuck', {
      persistentVolumeReclaimPolicy: 'Delete',
      capacity: { storage: '3Gi' },
    });
    await claim('short', { volumeName: 'stuck', storageClassName: 'manual' });
    await phaseOf(volumes, 'stuck', 'Bound');
    await remove('short');
    const failed = await phaseOf(volumes, 'stuck', 'Failed');
    expect(failed.status?.message).toBe(
      'error getting deleter volume plugin for volume "stuck": no deletable volume plugin matched',
    );
  });

  it('are emptied by a pod where they are to be used again, after a failure anew', async () => {
    await volume('again', { persistentVolumeReclaimPolicy: 'Recycle' });
    await claim('first', { storageClassName: 'manual', volumeName: 'again' });
    await phaseOf(claims, 'first', 'Bound');
    await remove('first');
    const key = { namespace: 'default', name: 'recycler-for-again' };
    const end = async (phase: 'Failed' | 'Succeeded'): Promise<void> => {
      const pod = await plane.settled(
        resources.pods,
        key,
        ({ metadata }) => !metadata.deletionTimestamp,
      );
      expect(pod.spec.volumes?.[0]).toMatchObject({ hostPath: { path: '/data/again' } });
      await plane.patchStatus(resources.pods, key, { phase });
    };
    await end('Failed');
    const failed = await phaseOf(volumes, 'again', 'Failed');
    expect(failed.status?.message).toMatch(/^Recycle failed: failed to recycle volume: /);
    await annotateVolume('again', { look: 'again' });
    await eventually(() => end('Succeeded'), { timeoutMs: 20_000 });
    const free = await phaseOf(volumes, 'again', 'Available');
    expect(free.spec?.claimRef?.uid).toBeUndefined();
    await expect(plane.client.resource(resources.pods).get(key)).rejects.toThrow(/not found/);
    await claim('second', { storageClassName: 'manual', volumeName: 'again' });
    await phaseOf(claims, 'second', 'Bound');
  });

  it('leave their claim lost when they are gone', async () => {
    await volume('brittle', { capacity: { storage: '4Gi' } });
    await claim('loser', { volumeName: 'brittle', storageClassName: 'manual' });
    await phaseOf(claims, 'loser', 'Bound');
    await plane.client.resource(volumes).delete({ name: 'brittle' });
    await plane.client
      .resource(volumes)
      .patch({ name: 'brittle' }, 'merge', { metadata: { finalizers: null } });
    await phaseOf(claims, 'loser', 'Lost');
  });
});

describe('the class rancher.io/local-path', () => {
  it('makes a volume on the node of the first consumer, expands it and removes it', async () => {
    await claim('data');
    expect(await plane.eventOf(NS, 'data', 'WaitForFirstConsumer')).toBe(
      'waiting for first consumer to be created before binding',
    );
    await annotate('data', { 'volume.kubernetes.io/selected-node': 'n1' });
    await phaseOf(claims, 'data', 'Bound');
    const { metadata, spec } = await plane.get(claims, { namespace: NS, name: 'data' });
    const name = `pvc-${metadata.uid}`;
    expect(spec).toMatchObject({ storageClassName: 'local', volumeName: name });
    const made = await plane.get(volumes, { name });
    const path = join(plane.folder, 'n1', 'volumes', `${name}_${NS}_data`);
    expect(made.spec).toMatchObject({
      hostPath: { path, type: 'DirectoryOrCreate' },
      persistentVolumeReclaimPolicy: 'Delete',
    });
    expect(JSON.stringify(made.spec?.nodeAffinity)).toContain('host-1');
    await plane.client.resource(claims).patch({ namespace: NS, name: 'data' }, 'merge', {
      spec: { resources: { requests: { storage: '2Gi' } } },
    });
    await plane.settled(
      claims,
      { namespace: NS, name: 'data' },
      ({ status }) => status?.capacity?.['storage'] === '2Gi' && !status.conditions,
    );
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), 'x');
    await remove('data');
    await eventually(async () => {
      const names = (await plane.list(volumes)).map((one) => one.metadata.name);
      expect(names).not.toContain(name);
    });
    expect(existsSync(path)).toBe(false);
  });

  it('asks for another node when the chosen one is gone', async () => {
    await claim('moved', {}, { annotations: { 'volume.kubernetes.io/selected-node': 'gone' } });
    await plane.settled(
      claims,
      { namespace: NS, name: 'moved' },
      ({ metadata }) => !metadata.annotations?.['volume.kubernetes.io/selected-node'],
    );
    expect(await plane.eventOf(NS, 'moved', 'ProvisioningFailed')).toBe(
      'failed to get target node: nodes "gone" not found',
    );
  });

  it('refuses volumes for many writers', async () => {
    const annotations = { 'volume.kubernetes.io/selected-node': 'n1' };
    await claim('many', { accessModes: ['ReadWriteMany'] }, { annotations });
    expect(await plane.eventOf(NS, 'many', 'ProvisioningFailed')).toBe(
      'failed to provision volume with StorageClass "local": NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes',
    );
  });
});

describe('pods with volumes', () => {
  const pod = (name: string, volumesOfPod: object[], more: object = {}): Promise<unknown> =>
    plane.create(resources.pods, {
      metadata: { name, namespace: NS },
      spec: { containers: [{ name: 'c', image: 'i' }], volumes: volumesOfPod, ...more },
    });

  it('get claims for their ephemeral volumes', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await pod('brief', [{ name: 'tmp', ephemeral: { volumeClaimTemplate: { spec } } }]);
    const made = await plane.settled(claims, { namespace: NS, name: 'brief-tmp' }, () => true);
    expect(made.metadata.ownerReferences).toMatchObject([
      { kind: 'Pod', name: 'brief', controller: true },
    ]);
    expect(await plane.eventOf(NS, 'brief-tmp', 'WaitForPodScheduled')).toBe(
      'waiting for pod brief to be scheduled',
    );
  });

  it('have volumes of CSI drivers attached to their node, one at a time', async () => {
    await plane.create(resources.nodes, { metadata: { name: 'n2' } });
    const csi = { driver: 'd.example.com', volumeHandle: 'h1' };
    await volume('remote', { hostPath: undefined, csi, capacity: { storage: '7Gi' } });
    await claim('remote', { volumeName: 'remote', storageClassName: 'manual' });
    await phaseOf(claims, 'remote', 'Bound');
    const volumesOfPod = [{ name: 'v', persistentVolumeClaim: { claimName: 'remote' } }];
    await pod('first', volumesOfPod, { nodeName: 'n1' });
    const attachment = await eventually(async () => {
      const [found] = await plane.list(resources.volumeattachments);
      if (!found) throw new Error('no attachment');
      return found;
    });
    expect(attachment.spec).toEqual({
      attacher: 'd.example.com',
      nodeName: 'n1',
      source: { persistentVolumeName: 'remote' },
    });
    const { name = '' } = attachment.metadata;
    await plane.patchStatus(resources.volumeattachments, { name }, { attached: true });
    await plane.settled(resources.nodes, { name: 'n1' }, ({ status }) =>
      (status?.volumesAttached ?? []).some(
        (one) => one.name === 'kubernetes.io/csi/d.example.com^h1',
      ),
    );
    await pod('second', volumesOfPod, { nodeName: 'n2' });
    expect(await plane.eventOf(NS, 'second', 'FailedAttachVolume')).toContain(
      'Multi-Attach error for volume "remote" Volume is already used by pod(s) first',
    );
    await plane.client
      .resource(resources.pods)
      .delete({ namespace: NS, name: 'first' }, { gracePeriodSeconds: 0 });
    await plane.clock.step(20_000, 20);
    await eventually(async () => {
      const nodes = (await plane.list(resources.volumeattachments)).map((a) => a.spec.nodeName);
      expect(nodes).toEqual(['n2']);
    });
  });
});
