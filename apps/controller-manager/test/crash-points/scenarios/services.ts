import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import type { Scenario } from '../scenario.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { endpoints, endpointslices, nodes, pods, services } = resources;

const pod = (world: World, name: string): Promise<unknown> =>
  world.create(pods, {
    metadata: {
      name,
      namespace: NS,
      labels: { app: 'web', does: 'run', ip: String(name.charCodeAt(0)) },
    },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] },
  });

const remove = (world: World, name: string): Promise<void> =>
  world.client.resource(pods).delete({ namespace: NS, name }, { gracePeriodSeconds: 0 });

async function threePods(world: World): Promise<void> {
  await world.create(nodes, { metadata: { name: 'n1' } });
  for (const name of ['a', 'b', 'c']) await pod(world, name);
}

/** A service of pods that all run already: of those that come to run one by one, chance makes more slices. */
async function web(world: World): Promise<void> {
  await eventually(
    async () => {
      const running = (await world.list(pods)).filter(({ status }) => status?.phase === 'Running');
      if (running.length < 3) throw new Error(`${running.length} of 3 pods run`);
    },
    { timeoutMs: 60_000 },
  );
  await world.quiet(100);
  await world.create(services, {
    metadata: { name: 'web', namespace: NS },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
}

/** Pods that the slices of a service name. */
async function inSlices(world: World, service: string): Promise<string[]> {
  const slices = (await world.list(endpointslices)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service,
  );
  return slices.flatMap((slice) =>
    (slice.endpoints ?? []).map(
      ({ targetRef, addresses }) => targetRef?.name ?? addresses[0] ?? '',
    ),
  );
}

const sameNames = (found: readonly string[], wanted: string): boolean =>
  [...found].sort().join(' ') === wanted;

export const endpointSliceScenario: Scenario = {
  controller: 'endpointslice-controller',
  kinds: [services, endpointslices],
  flags: ['--max-endpoints-per-slice=2'],
  arrange: threePods,
  acts: [
    { do: web, until: async (world) => sameNames(await inSlices(world, 'web'), 'a b c') },
    {
      do: async (world) => {
        await pod(world, 'd');
      },
      until: async (world) => sameNames(await inSlices(world, 'web'), 'a b c d'),
    },
    {
      do: (world) => remove(world, 'a'),
      until: async (world) => sameNames(await inSlices(world, 'web'), 'b c d'),
    },
    // One at a time: slices that go together are fewer.
    ...['c d', 'd', ''].map((left, gone) => ({
      do: (world: World) => remove(world, ['b', 'c', 'd'][gone] ?? ''),
      until: async (world: World) => sameNames(await inSlices(world, 'web'), left),
    })),
  ],
};

export const endpointsScenario: Scenario = {
  controller: 'endpoints-controller',
  kinds: [services, endpoints],
  arrange: threePods,
  acts: [
    {
      do: web,
      until: async (world) => (await addresses(world)) === 3,
    },
    { do: (world) => remove(world, 'a'), until: async (world) => (await addresses(world)) === 2 },
    {
      do: (world) => world.client.resource(services).delete({ namespace: NS, name: 'web' }),
      until: async (world) =>
        (await world.list(endpoints)).every(({ metadata }) => metadata.name !== 'web'),
    },
  ],
};

async function addresses(world: World): Promise<number> {
  const { subsets } = await world.get(endpoints, { namespace: NS, name: 'web' });
  return (subsets ?? []).flatMap((subset) => subset.addresses ?? []).length;
}

export const mirroringScenario: Scenario = {
  controller: 'endpointslice-mirroring-controller',
  kinds: [services, endpoints, endpointslices],
  acts: [
    {
      do: async (world) => {
        await world.create(services, {
          metadata: { name: 'db', namespace: NS },
          spec: { ports: [{ port: 5432 }] },
        });
        await world.create(endpoints, {
          metadata: { name: 'db', namespace: NS },
          subsets: [{ addresses: [{ ip: '10.9.0.1' }], ports: [{ port: 5432 }] }],
        });
      },
      until: async (world) => sameNames(await inSlices(world, 'db'), '10.9.0.1'),
    },
    {
      do: (world) =>
        world.patch(endpoints, 'db', {
          subsets: [
            { addresses: [{ ip: '10.9.0.2' }], ports: [{ port: 5432 }] },
            { addresses: [{ ip: 'fd00::9' }], ports: [{ port: 5433 }] },
          ],
        }),
      until: async (world) => sameNames(await inSlices(world, 'db'), '10.9.0.2 fd00::9'),
    },
    {
      do: (world) => world.patch(endpoints, 'db', { subsets: null }),
      until: async (world) => (await inSlices(world, 'db')).length === 0,
    },
  ],
};

export const loadBalancerScenario: Scenario = {
  controller: 'service-lb-controller',
  kinds: [services],
  flags: ['--load-balancer-pool=127.237.48.0/30'],
  acts: [
    {
      do: async (world) => {
        for (const name of ['one', 'two'])
          await world.create(services, {
            metadata: { name, namespace: NS },
            spec: { type: 'LoadBalancer', ports: [{ port: 80 }], clusterIP: CLUSTER_IPS[name] },
          });
      },
      until: async (world) => (await balanced(world)) === 2,
    },
    {
      do: (world) => world.patch(services, 'one', { spec: { type: 'ClusterIP' } }),
      until: async (world) => (await balanced(world)) === 1,
    },
  ],
};

const CLUSTER_IPS: Readonly<Record<string, string>> = {
  one: '127.237.129.1',
  two: '127.237.129.2',
};

const balanced = async (world: World): Promise<number> =>
  (await world.list(services)).filter(({ status }) => status?.loadBalancer?.ingress).length;
