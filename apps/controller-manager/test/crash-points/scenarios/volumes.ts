import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '@orrery/api';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import type { Scenario } from '../scenario.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { nodes, persistentvolumeclaims: claims, persistentvolumes: volumes, pods } = resources;
const { storageclasses: classes, volumeattachments: attachments } = resources;
const SELECTED = 'volume.kubernetes.io/selected-node';
const ONCE = { accessModes: ['ReadWriteOnce'] };

const claim = (
  world: World,
  name: string,
  spec: object = {},
  meta: object = {},
): Promise<unknown> =>
  world.create(claims, {
    metadata: { name, namespace: NS, ...meta },
    spec: { ...ONCE, resources: { requests: { storage: '1Gi' } }, ...spec },
  });

const volume = (world: World, name: string, spec: object = {}): Promise<unknown> =>
  world.create(volumes, {
    metadata: { name },
    spec: {
      ...ONCE,
      capacity: { storage: '1Gi' },
      hostPath: { path: `/data/${name}` },
      storageClassName: 'manual',
      ...spec,
    },
  });

const findClaim = (world: World, name: string): Promise<PersistentVolumeClaim> =>
  world.get(claims, { namespace: NS, name });

const deleteClaim = (world: World, name: string): Promise<void> =>
  world.client.resource(claims).delete({ namespace: NS, name });

const phases = async (world: World): Promise<string> => {
  const all: (PersistentVolume | PersistentVolumeClaim)[] = [
    ...(await world.list(claims)),
    ...(await world.list(volumes)),
  ];
  return all.map(({ status }) => status?.phase ?? '').join(' ');
};

const consumer = (
  world: World,
  name: string,
  source: object,
  spec: object = {},
): Promise<unknown> =>
  world.create(pods, {
    metadata: { name, namespace: NS },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', ...source }], ...spec },
  });

export const binderScenario: Scenario = {
  controller: 'persistentvolume-binder-controller',
  beside: ['persistentvolumeclaim-protection-controller'],
  kinds: [claims, volumes],
  stepMs: 5_000,
  arrange: (world) => volume(world, 'v1'),
  acts: [
    {
      do: (world) => claim(world, 'c1', { storageClassName: 'manual' }),
      until: async (world) => (await phases(world)) === 'Bound Bound',
    },
    {
      do: (world) => deleteClaim(world, 'c1'),
      until: async (world) => (await phases(world)) === 'Released',
    },
  ],
};

export const localPathScenario: Scenario = {
  controller: 'local-path-provisioner',
  beside: [
    'persistentvolume-binder-controller',
    'persistentvolume-protection-controller',
    'persistentvolumeclaim-protection-controller',
  ],
  kinds: [claims, volumes],
  flags: (folder) => [`--local-path-dir=${join(folder, '{node}')}`],
  stepMs: 5_000,
  async arrange(world) {
    mkdirSync(join(world.folder, 'n1'), { recursive: true });
    await world.create(nodes, {
      metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } },
    });
    await world.create(classes, {
      metadata: { name: 'local' },
      provisioner: 'rancher.io/local-path',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
  },
  acts: [
    {
      do: (world) =>
        claim(world, 'c1', { storageClassName: 'local' }, { annotations: { [SELECTED]: 'n1' } }),
      until: async (world) => (await phases(world)) === 'Bound Bound',
    },
    {
      do: (world) => deleteClaim(world, 'c1'),
      until: async (world) => (await phases(world)) === '',
    },
    {
      do: (world) =>
        claim(world, 'c2', { storageClassName: 'local' }, { annotations: { [SELECTED]: 'gone' } }),
      until: async (world) =>
        (await findClaim(world, 'c2')).metadata.annotations?.[SELECTED] === undefined,
    },
  ],
};

export const expanderScenario: Scenario = {
  controller: 'persistentvolume-expander-controller',
  kinds: [claims, volumes],
  stepMs: 5_000,
  async arrange(world) {
    await world.create(classes, {
      metadata: { name: 'local' },
      provisioner: 'rancher.io/local-path',
      allowVolumeExpansion: true,
    });
    await claim(world, 'c1', { storageClassName: 'local', volumeName: 'v1' });
    const { uid } = (await findClaim(world, 'c1')).metadata;
    await volume(world, 'v1', {
      storageClassName: 'local',
      claimRef: { kind: 'PersistentVolumeClaim', namespace: NS, name: 'c1', uid },
    });
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' };
    await world.patch(volumes, 'v1', { metadata: { annotations } });
    await world.patchStatus(volumes, 'v1', { phase: 'Bound' });
    await world.patchStatus(claims, 'c1', {
      phase: 'Bound',
      capacity: { storage: '1Gi' },
      ...ONCE,
    });
  },
  acts: [
    {
      do: (world) =>
        world.patch(claims, 'c1', { spec: { resources: { requests: { storage: '2Gi' } } } }),
      until: async (world) => {
        const { status } = await findClaim(world, 'c1');
        return status?.capacity?.['storage'] === '2Gi' && !status.conditions;
      },
    },
  ],
};

export const ephemeralScenario: Scenario = {
  controller: 'ephemeral-volume-controller',
  kinds: [claims, pods],
  acts: [
    {
      do: (world) => {
        const spec = { ...ONCE, resources: { requests: { storage: '1Gi' } } };
        const source = { ephemeral: { volumeClaimTemplate: { spec } } };
        return consumer(world, 'a', source, {
          volumes: [
            { name: 'v', ...source },
            { name: 'w', ...source },
          ],
        });
      },
      until: async (world) => (await world.list(claims)).length === 2,
    },
  ],
};

export const attachScenario: Scenario = {
  controller: 'persistentvolume-attach-detach-controller',
  kinds: [nodes, attachments],
  stepMs: 5_000,
  async arrange(world) {
    await world.create(nodes, { metadata: { name: 'n1' } });
    await claim(world, 'c1', { storageClassName: 'manual', volumeName: 'v1' });
    const { uid } = (await findClaim(world, 'c1')).metadata;
    await volume(world, 'v1', {
      hostPath: undefined,
      csi: { driver: 'd.example.com', volumeHandle: 'h1' },
      claimRef: { kind: 'PersistentVolumeClaim', namespace: NS, name: 'c1', uid },
    });
    await world.patchStatus(volumes, 'v1', { phase: 'Bound' });
    await world.patchStatus(claims, 'c1', {
      phase: 'Bound',
      capacity: { storage: '1Gi' },
      ...ONCE,
    });
  },
  acts: [
    {
      do: (world) =>
        consumer(world, 'a', { persistentVolumeClaim: { claimName: 'c1' } }, { nodeName: 'n1' }),
      until: async (world) => (await world.list(attachments)).length === 1,
    },
    {
      do: async (world) => {
        const [made] = await world.list(attachments);
        await world.patchStatus(attachments, made?.metadata.name ?? '', { attached: true });
      },
      until: async (world) =>
        (await world.get(nodes, { name: 'n1' })).status?.volumesAttached?.length === 1,
    },
    {
      do: (world) =>
        world.client.resource(pods).delete({ namespace: NS, name: 'a' }, { gracePeriodSeconds: 0 }),
      until: async (world) => (await world.list(attachments)).length === 0,
    },
  ],
};

export const volumeProtectionScenario: Scenario = {
  controller: 'persistentvolume-protection-controller',
  kinds: [volumes],
  acts: [
    {
      do: async (world) => {
        for (const name of ['v1', 'v2']) await volume(world, name);
        for (const name of ['v1', 'v2']) await world.client.resource(volumes).delete({ name });
      },
      until: async (world) => (await world.list(volumes)).length === 0,
    },
  ],
};

export const claimProtectionScenario: Scenario = {
  controller: 'persistentvolumeclaim-protection-controller',
  kinds: [claims],
  arrange: async (world) => {
    for (const name of ['c1', 'c2']) await claim(world, name);
    await consumer(world, 'a', { persistentVolumeClaim: { claimName: 'c1' } });
  },
  acts: [
    {
      do: async (world) => {
        for (const name of ['c1', 'c2']) await deleteClaim(world, name);
      },
      until: async (world) => (await world.list(claims)).length === 1,
    },
    {
      do: (world) =>
        world.client.resource(pods).delete({ namespace: NS, name: 'a' }, { gracePeriodSeconds: 0 }),
      until: async (world) => (await world.list(claims)).length === 0,
    },
  ],
};
