import { resources } from '@orrery/api';
import type { Scenario } from '../scenario.js';
import { NS, template } from '../world.js';
import type { World } from '../world.js';

const { deployments, replicasets, statefulsets, jobs, pods, controllerrevisions } = resources;
const { persistentvolumeclaims } = resources;

const selector = (app: string): object => ({ matchLabels: { app } });
const podCount = async (world: World): Promise<number> => (await world.list(pods)).length;

export const deploymentScenario: Scenario = {
  controller: 'deployment-controller',
  beside: ['replicaset-controller'],
  kinds: [deployments, replicasets, pods],
  acts: [
    {
      do: (world) =>
        world.create(deployments, {
          metadata: { name: 'web', namespace: NS },
          spec: { replicas: 2, selector: selector('web'), template: template('web', 'run') },
        }),
      until: async (world) => {
        const { status, metadata } = await world.get(deployments, { namespace: NS, name: 'web' });
        const isSeen = status?.observedGeneration === metadata.generation;
        return isSeen && status?.availableReplicas === 2;
      },
    },
    {
      do: (world) => {
        const next = template('web', 'run', { containers: [{ name: 'c', image: 'j' }] });
        return world.patch(deployments, 'web', {
          spec: { revisionHistoryLimit: 0, template: next },
        });
      },
      until: async (world) => {
        const { status, metadata } = await world.get(deployments, { namespace: NS, name: 'web' });
        const sets = await world.list(replicasets);
        const isSeen = status?.observedGeneration === metadata.generation;
        return (
          isSeen && status?.updatedReplicas === 2 && status.replicas === 2 && sets.length === 1
        );
      },
    },
  ],
};

export const statefulSetScenario: Scenario = {
  controller: 'statefulset-controller',
  kinds: [statefulsets, pods, persistentvolumeclaims, controllerrevisions],
  acts: [
    {
      do: (world) =>
        world.create(statefulsets, {
          metadata: { name: 'db', namespace: NS },
          spec: {
            replicas: 2,
            serviceName: 'db',
            selector: selector('db'),
            template: template('db', 'run'),
            volumeClaimTemplates: [
              {
                metadata: { name: 'data' },
                spec: {
                  accessModes: ['ReadWriteOnce'],
                  resources: { requests: { storage: '1Gi' } },
                },
              },
            ],
          },
        }),
      until: async (world) => {
        const { status } = await world.get(statefulsets, { namespace: NS, name: 'db' });
        return status?.readyReplicas === 2 && status.availableReplicas === 2;
      },
    },
    {
      do: (world) => {
        const next = template('db', 'run', { containers: [{ name: 'c', image: 'j' }] });
        return world.patch(statefulsets, 'db', { spec: { replicas: 1, template: next } });
      },
      until: async (world) => {
        const { status } = await world.get(statefulsets, { namespace: NS, name: 'db' });
        const isUpdated = status?.currentRevision === status?.updateRevision;
        return isUpdated && status?.replicas === 1 && status.readyReplicas === 1;
      },
    },
  ],
};

const finished = async (world: World, name: string): Promise<boolean> => {
  const { status } = await world.get(jobs, { namespace: NS, name });
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
};

export const jobScenario: Scenario = {
  controller: 'job-controller',
  kinds: [jobs, pods],
  stepMs: 500,
  acts: [
    {
      do: (world) =>
        world.create(jobs, {
          metadata: { name: 'sum', namespace: NS },
          spec: { completions: 3, parallelism: 2, template: template('sum', 'succeed') },
        }),
      until: (world) => finished(world, 'sum'),
    },
    {
      do: (world) =>
        world.create(jobs, {
          metadata: { name: 'bad', namespace: NS },
          spec: { backoffLimit: 1, template: template('bad', 'fail') },
        }),
      until: async (world) => (await finished(world, 'bad')) && (await podCount(world)) === 5,
    },
  ],
};
