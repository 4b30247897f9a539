import { resources } from '@orrery/api';
import type { Pod } from '@orrery/api';
import type { Scenario } from '../scenario.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { pods, resourceclaims: claims, resourceclaimtemplates: templates } = resources;
const { resourceslices: slices } = resources;
const FINALIZER = 'resource.kubernetes.io/delete-protection';
/** A controller that dies after it has given devices back leaves the mark for the next use, as upstream's. */
const MARK = /"finalizers":\["resource\.kubernetes\.io\/delete-protection"\],?/;
/** The pod's status still names claims that are gone. */
const GENERATED = /a-([xy])-[a-z0-9]{5}/g;
const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };
const result = { request: 'r', driver: 'gpu.example.com', pool: 'n1', device: 'd0' };

const consumer = (world: World, name: string, entries: readonly object[], more: object = {}) =>
  world.create<Pod>(pods, {
    metadata: { name, namespace: NS },
    spec: { containers: [{ name: 'c', image: 'i' }], resourceClaims: entries, ...more },
  });

async function allocate(world: World, name: string): Promise<void> {
  await world.patch(claims, name, { metadata: { finalizers: [FINALIZER] } });
  await world.patchStatus(claims, name, { allocation: { devices: { results: [result] } } });
}

export const resourceClaimScenario: Scenario = {
  controller: 'resourceclaim-controller',
  kinds: [claims, pods],
  simplify: (texts) => texts.map((text) => text.replace(MARK, '').replace(GENERATED, 'a-$1-*')),
  async arrange(world) {
    await world.create(templates, { metadata: { name: 't', namespace: NS }, spec: { spec } });
    await world.create(claims, { metadata: { name: 'shared', namespace: NS }, spec });
  },
  acts: [
    {
      do: (world) =>
        consumer(world, 'a', [
          { name: 'x', resourceClaimTemplateName: 't' },
          { name: 'y', resourceClaimTemplateName: 't' },
        ]),
      until: async (world) =>
        (await world.get(pods, { namespace: NS, name: 'a' })).status?.resourceClaimStatuses
          ?.length === 2,
    },
    {
      do: async (world) => {
        await allocate(world, 'shared');
        await consumer(world, 'b', [{ name: 'x', resourceClaimName: 'shared' }], { nodeName: 'n' });
      },
      until: async (world) =>
        (await world.get(claims, { namespace: NS, name: 'shared' })).status?.reservedFor?.length ===
        1,
    },
    {
      do: async (world) => {
        await world.patchStatus(pods, 'a', { phase: 'Succeeded' });
        await world.patchStatus(pods, 'b', { phase: 'Failed' });
      },
      until: async (world) => {
        const [left, ...others] = await world.list(claims);
        return others.length === 0 && left?.status?.allocation === undefined;
      },
    },
  ],
};

const slice = (world: World, taints: readonly object[]): Promise<unknown> =>
  world.create(slices, {
    metadata: { name: 's' },
    spec: {
      driver: result.driver,
      nodeName: 'n1',
      pool: { name: result.pool, generation: 1, resourceSliceCount: 1 },
      devices: [{ name: result.device, taints }],
    },
  });

export const deviceTaintScenario: Scenario = {
  controller: 'device-taint-eviction-controller',
  kinds: [pods],
  async arrange(world) {
    await slice(world, []);
    await world.create(claims, { metadata: { name: 'shared', namespace: NS }, spec });
    await allocate(world, 'shared');
    for (const name of ['goes', 'too'])
      await consumer(world, name, [{ name: 'x', resourceClaimName: 'shared' }], { nodeName: 'n1' });
    await consumer(world, 'stays', [{ name: 'x', resourceClaimName: 'other' }], { nodeName: 'n1' });
  },
  acts: [
    {
      do: (world) => {
        const taints = [{ key: 'broken', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }];
        return world.patch(slices, 's', {
          spec: { devices: [{ name: result.device, taints }] },
        });
      },
      until: async (world) =>
        (await world.list(pods)).every(
          ({ metadata }) => metadata.name === 'stays' || metadata.deletionTimestamp,
        ),
    },
  ],
};
