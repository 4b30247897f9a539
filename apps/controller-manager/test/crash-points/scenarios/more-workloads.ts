import { resources } from '@orrery/api';
import type { Scenario } from '../scenario.js';
import { NS, template } from '../world.js';
import type { World } from '../world.js';

const { replicasets, replicationcontrollers, daemonsets, cronjobs, jobs, pods, nodes } = resources;
const { controllerrevisions, deployments, horizontalpodautoscalers: autoscalers } = resources;

const selector = (app: string): object => ({ matchLabels: { app } });

/** An orphan to adopt, one to make, then one less. */
const replicas = (
  ref: typeof replicasets | typeof replicationcontrollers,
  controller: string,
  spec: object,
): Scenario => {
  const sized = (count: number) => async (world: World) => {
    const { status } = await world.get(ref as typeof replicasets, { namespace: NS, name: 'set' });
    return status?.readyReplicas === count && status.replicas === count;
  };
  return {
    controller,
    kinds: [ref, pods],
    arrange: (world) =>
      world.create(pods, {
        metadata: { name: 'orphan', namespace: NS, labels: { app: 'set', does: 'run' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      }),
    acts: [
      {
        do: (world) =>
          world.create(ref as typeof replicasets, {
            metadata: { name: 'set', namespace: NS },
            spec: { replicas: 3, ...spec, template: template('set', 'run') },
          }),
        until: sized(3),
      },
      {
        do: async (world) => {
          const [made] = (await world.list(pods)).filter(({ metadata }) => metadata.generateName);
          const key = { namespace: NS, name: made?.metadata.name ?? '' };
          await world.client.resource(pods).delete(key, { gracePeriodSeconds: 0 });
          await world.patch(ref as typeof replicasets, 'set', { spec: { replicas: 4 } });
        },
        until: sized(4),
      },
      {
        do: (world) => world.patch(ref as typeof replicasets, 'set', { spec: { replicas: 0 } }),
        until: async (world) => (await world.list(pods)).length === 0,
      },
    ],
  };
};

export const replicaSetScenario = replicas(replicasets, 'replicaset-controller', {
  selector: selector('set'),
});
export const replicationScenario = replicas(
  replicationcontrollers,
  'replicationcontroller-controller',
  { selector: { app: 'set' } },
);

export const daemonSetScenario: Scenario = {
  controller: 'daemonset-controller',
  kinds: [daemonsets, pods, controllerrevisions],
  async arrange(world) {
    for (const name of ['n1', 'n2']) {
      await world.create(nodes, { metadata: { name }, status: {} });
      // The taint of a node that is new: no kubelet is here to take it away.
      await world.patch(nodes, name, { spec: { taints: null } });
    }
  },
  acts: [
    {
      do: (world) =>
        world.create(daemonsets, {
          metadata: { name: 'agent', namespace: NS },
          spec: { selector: selector('agent'), template: template('agent', 'run') },
        }),
      until: async (world) => {
        const { status } = await world.get(daemonsets, { namespace: NS, name: 'agent' });
        return status?.numberAvailable === 2;
      },
    },
    {
      do: (world) => {
        const next = template('agent', 'run', { containers: [{ name: 'c', image: 'j' }] });
        return world.patch(daemonsets, 'agent', { spec: { template: next } });
      },
      until: async (world) => {
        const { status, metadata } = await world.get(daemonsets, { namespace: NS, name: 'agent' });
        const isSeen = status?.observedGeneration === metadata.generation;
        return isSeen && status?.updatedNumberScheduled === 2 && status.numberAvailable === 2;
      },
    },
  ],
};

export const cronJobScenario: Scenario = {
  controller: 'cronjob-controller',
  beside: ['job-controller', 'garbage-collector-controller'],
  // Named after the minute.
  simplify: (picture) =>
    picture.map((text) =>
      text
        .replaceAll(/tick-\d+/g, 'tick-*')
        .replace(/"schedule":"[^"]*"/, '"schedule":"at some time"'),
    ),
  kinds: [cronjobs, jobs],
  acts: [
    {
      do: async (world) => {
        await world.create(cronjobs, {
          metadata: { name: 'tick', namespace: NS },
          spec: {
            // A leap day: due once in a world, as its clock goes.
            schedule: '0 0 29 2 *',
            successfulJobsHistoryLimit: 1,
            jobTemplate: { spec: { template: template('tick', 'succeed') } },
          },
        });
        await world.quiet(100);
        // The next minute of this year alone: once, however long all this takes.
        const at = new Date(world.clock.now() + 60_000);
        const day = `${at.getUTCDate()} ${at.getUTCMonth() + 1}`;
        const schedule = `${at.getUTCMinutes()} ${at.getUTCHours()} ${day} *`;
        await world.patch(cronjobs, 'tick', { spec: { schedule, timeZone: 'Etc/UTC' } });
        await world.clock.step(61_000, 1);
      },
      until: async (world) => {
        const { status } = await world.get(cronjobs, { namespace: NS, name: 'tick' });
        return status?.lastSuccessfulTime !== undefined && !status.active;
      },
    },
  ],
};

export const ttlScenario: Scenario = {
  controller: 'ttl-after-finished-controller',
  beside: ['job-controller', 'garbage-collector-controller'],
  kinds: [jobs, pods],
  stepMs: 30_000,
  acts: [
    {
      do: (world) =>
        world.create(jobs, {
          metadata: { name: 'brief', namespace: NS },
          spec: { ttlSecondsAfterFinished: 60, template: template('brief', 'succeed') },
        }),
      until: async (world) =>
        (await world.list(jobs)).length === 0 && (await world.list(pods)).length === 0,
    },
  ],
};

export const autoscalerScenario: Scenario = {
  controller: 'horizontal-pod-autoscaler-controller',
  // There are no metrics in a world: what the status says depends on which look found the size out of bounds.
  kinds: [deployments],
  stepMs: 20_000,
  async arrange(world) {
    await world.create(deployments, {
      metadata: { name: 'web', namespace: NS },
      spec: { replicas: 5, selector: selector('web'), template: template('web', 'run') },
    });
  },
  acts: [
    {
      do: (world) =>
        world.create(autoscalers, {
          metadata: { name: 'web', namespace: NS },
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
            minReplicas: 1,
            maxReplicas: 3,
          },
        }),
      until: (world) => scaledTo(world, 3),
    },
    {
      do: (world) => world.patch(autoscalers, 'web', { spec: { minReplicas: 4, maxReplicas: 6 } }),
      until: (world) => scaledTo(world, 4),
    },
  ],
};

async function scaledTo(world: World, count: number): Promise<boolean> {
  const { spec } = await world.get(deployments, { namespace: NS, name: 'web' });
  return spec.replicas === count;
}
