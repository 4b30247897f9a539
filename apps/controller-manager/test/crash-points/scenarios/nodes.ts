import { resources } from '@orrery/api';
import type { Node } from '@orrery/api';
import type { Scenario } from '../scenario.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { nodes, pods, poddisruptionbudgets: budgets, replicasets } = resources;

const node = (world: World, name: string, extra: object = {}): Promise<unknown> =>
  world.create(nodes, { metadata: { name }, ...extra });

const pod = (world: World, name: string, spec: object = {}, does = 'run'): Promise<unknown> =>
  world.create(pods, {
    metadata: { name, namespace: NS, labels: { app: 'web', does } },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  });

const every = async (world: World, check: (node: Node) => boolean): Promise<boolean> =>
  (await world.list(nodes)).every(check);

const podNames = async (world: World): Promise<string> =>
  (await world.list(pods))
    .map(({ metadata }) => metadata.name)
    .sort()
    .join(' ');

export const nodeIpamScenario: Scenario = {
  controller: 'node-ipam-controller',
  kinds: [nodes],
  flags: ['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/22'],
  acts: [
    {
      do: async (world) => {
        for (const name of ['node-01', 'node-02']) await node(world, name);
      },
      until: async (world) =>
        (await every(world, ({ spec }) => spec?.podCIDR !== undefined)) &&
        new Set((await world.list(nodes)).map(({ spec }) => spec?.podCIDR)).size === 2,
    },
    {
      do: (world) => node(world, 'node-03'),
      until: (world) => every(world, ({ spec }) => spec?.podCIDR !== undefined),
    },
  ],
};

const READY = { type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' };

export const nodeLifecycleScenario: Scenario = {
  controller: 'node-lifecycle-controller',
  kinds: [nodes, pods],
  simplify: (texts) => texts.filter((text) => !text.includes('"name":"n2"')),
  async arrange(world) {
    for (const name of ['n1', 'n2']) await node(world, name, { status: { conditions: [READY] } });
    await pod(world, 'a', { nodeName: 'n1' });
  },
  acts: [
    {
      // n1 is silent from the start, as seen by whoever watches; n2 goes on.
      do: () => Promise.resolve(),
      until: async (world) => {
        const lastHeartbeatTime = new Date(world.clock.now()).toISOString().replace(/\.\d+/, '');
        await world.patchStatus(nodes, 'n2', { conditions: [{ ...READY, lastHeartbeatTime }] });
        await world.clock.step(5_000, 1);
        const keys = (await world.get(nodes, { name: 'n1' })).spec?.taints?.map(
          ({ key, effect }) => `${key}:${effect}`,
        );
        const { status } = await world.get(pods, { namespace: NS, name: 'a' });
        const isReady = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
        return !isReady && (keys ?? []).includes('node.kubernetes.io/unreachable:NoExecute');
      },
    },
  ],
};

export const nodeTtlScenario: Scenario = {
  controller: 'ttl-controller',
  kinds: [nodes],
  acts: [
    {
      do: async (world) => {
        for (const name of ['n1', 'n2']) await node(world, name);
      },
      until: (world) =>
        every(
          world,
          ({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0',
        ),
    },
    {
      do: (world) => world.patch(nodes, 'n1', { metadata: { annotations: null } }),
      until: (world) =>
        every(
          world,
          ({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0',
        ),
    },
  ],
};

export const taintEvictionScenario: Scenario = {
  controller: 'taint-eviction-controller',
  kinds: [nodes, pods],
  async arrange(world) {
    await node(world, 'n1');
    const tolerations = [{ key: 'bad', operator: 'Exists' }];
    await pod(world, 'stays', { nodeName: 'n1', tolerations });
    for (const name of ['goes', 'too']) await pod(world, name, { nodeName: 'n1' });
  },
  acts: [
    {
      do: (world) =>
        world.patch(nodes, 'n1', { spec: { taints: [{ key: 'bad', effect: 'NoExecute' }] } }),
      until: async (world) => (await podNames(world)) === 'stays',
    },
  ],
};

export const podGcScenario: Scenario = {
  controller: 'pod-garbage-collector-controller',
  kinds: [pods],
  flags: ['--terminated-pod-gc-threshold=1'],
  stepMs: 21_000,
  async arrange(world) {
    await node(world, 'n1');
    // The first by name, too: once it has failed, it is the one too many that goes first.
    await pod(world, 'a-lost', { nodeName: 'gone' }, 'nothing');
    for (const name of ['done-1', 'done-2', 'done-3']) {
      await pod(world, name, { nodeName: 'n1', restartPolicy: 'Never' }, 'nothing');
      await world.patchStatus(pods, name, { phase: 'Succeeded' });
    }
  },
  acts: [
    {
      do: () => Promise.resolve(),
      until: async (world) => {
        const left = await world.list(pods);
        return left.length === 1 && left[0]?.status?.phase === 'Succeeded';
      },
    },
  ],
};

export const disruptionScenario: Scenario = {
  controller: 'disruption-controller',
  kinds: [budgets],
  async arrange(world) {
    const set = await world.create(replicasets, {
      metadata: { name: 'web', namespace: NS },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        },
      },
    });
    const { name = '', uid = '' } = set.metadata;
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true },
    ];
    for (const podName of ['a', 'b', 'c'])
      await world.create(pods, {
        metadata: {
          name: podName,
          namespace: NS,
          labels: { app: 'web', does: 'run' },
          ownerReferences,
        },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      });
  },
  acts: [
    {
      do: (world) =>
        world.create(budgets, {
          metadata: { name: 'web', namespace: NS },
          spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
        }),
      until: async (world) => (await allowed(world)) === 1,
    },
    {
      do: (world) =>
        world.client.resource(pods).delete({ namespace: NS, name: 'a' }, { gracePeriodSeconds: 0 }),
      until: async (world) => (await allowed(world)) === 0,
    },
  ],
};

const allowed = async (world: World): Promise<number | undefined> =>
  (await world.get(budgets, { namespace: NS, name: 'web' })).status?.disruptionsAllowed;
