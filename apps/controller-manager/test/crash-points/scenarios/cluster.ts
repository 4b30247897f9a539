import { resources } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { eventually } from '@orrery/testkit';
import type { Scenario } from '../scenario.js';
import { storageVersions } from '../../../src/controllers/storageversion-gc/storage-version.js';
import { NS } from '../world.js';
import type { World } from '../world.js';

const { clusterroles, configmaps, namespaces, pods, resourcequotas: quotas, secrets } = resources;

export const namespaceScenario: Scenario = {
  controller: 'namespace-controller',
  kinds: [namespaces, configmaps, secrets, pods],
  stepMs: 1_000,
  async arrange(world) {
    for (const name of ['a', 'b']) {
      await world.create(namespaces, { metadata: { name } });
      await world.create(configmaps, { metadata: { name: 'map', namespace: name } });
      await world.create(secrets, { metadata: { name: 'secret', namespace: name } });
    }
    await world.create(configmaps, {
      metadata: { name: 'held', namespace: 'b', finalizers: ['example.com/wait'] },
    });
  },
  acts: [
    {
      do: async (world) => {
        for (const name of ['a', 'b']) await world.client.resource(namespaces).delete({ name });
        // What holds a namespace back shows in it; it is looked at again and again, so that is no end.
        await eventually(() => isHeld(world), { timeoutMs: 120_000 });
        await world.client
          .resource(configmaps)
          .patch({ namespace: 'b', name: 'held' }, 'merge', { metadata: { finalizers: null } });
      },
      until: async (world) =>
        (await world.list(namespaces)).every(
          ({ metadata: { name } }) => name !== 'a' && name !== 'b',
        ),
    },
  ],
};

async function isHeld(world: World): Promise<boolean> {
  const { status } = await world.get(namespaces, { name: 'b' });
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => type === 'NamespaceFinalizersRemaining' && is === 'True',
  );
}

export const quotaScenario: Scenario = {
  controller: 'resourcequota-controller',
  kinds: [quotas],
  stepMs: 3_000,
  async arrange(world) {
    for (const name of ['a', 'b', 'c'])
      await world.create(configmaps, { metadata: { name, namespace: NS } });
  },
  acts: [
    {
      do: (world) =>
        world.create(quotas, {
          metadata: { name: 'q', namespace: NS },
          spec: { hard: { 'count/configmaps': '9', pods: '4' } },
        }),
      until: async (world) => (await used(world)) === '3',
    },
    {
      do: (world) => world.client.resource(configmaps).delete({ namespace: NS, name: 'a' }),
      until: async (world) => (await used(world)) === '2',
    },
    {
      do: (world) => world.patch(quotas, 'q', { spec: { hard: { 'count/configmaps': '5' } } }),
      until: async (world) => {
        const { status } = await world.get(quotas, { namespace: NS, name: 'q' });
        return status?.hard?.['count/configmaps'] === '5';
      },
    },
  ],
};

const used = async (world: World): Promise<string | undefined> =>
  (await world.get(quotas, { namespace: NS, name: 'q' })).status?.used?.['count/configmaps'];

const map = (world: World, name: string, owners: readonly KubeObject[]): Promise<KubeObject> =>
  world.create(configmaps, {
    metadata: {
      name,
      namespace: NS,
      ownerReferences: owners.map(({ metadata }) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: metadata.name ?? '',
        uid: metadata.uid ?? '',
        blockOwnerDeletion: true,
      })),
    },
  });

const remove = (
  world: World,
  name: string,
  propagationPolicy: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> =>
  world.client.resource(configmaps).delete({ namespace: NS, name }, { propagationPolicy });

const maps = async (world: World): Promise<string> =>
  (await world.list(configmaps))
    .filter(({ metadata }) => metadata.namespace === NS)
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'kube-root-ca.crt')
    .sort()
    .join(' ');

export const garbageScenario: Scenario = {
  controller: 'garbage-collector-controller',
  kinds: [configmaps],
  stepMs: 500,
  async arrange(world) {
    const [back, fore, orphaner] = await Promise.all(
      ['back', 'fore', 'orphaner'].map((name) => map(world, name, [])),
    );
    if (!back || !fore || !orphaner) return;
    const middle = await map(world, 'back-1', [back]);
    await map(world, 'back-2', [middle]);
    await map(world, 'both', [back, orphaner]);
    await map(world, 'fore-1', [fore]);
    await map(world, 'fore-2', [fore]);
    await map(world, 'kept', [orphaner]);
  },
  acts: [
    {
      do: (world) => remove(world, 'back', 'Background'),
      until: async (world) =>
        (await maps(world)) === 'both fore fore-1 fore-2 kept orphaner' &&
        (await owners(world, 'both')) === 1,
    },
    {
      do: (world) => remove(world, 'fore', 'Foreground'),
      until: async (world) => (await maps(world)) === 'both kept orphaner',
    },
    {
      do: (world) => remove(world, 'orphaner', 'Orphan'),
      until: async (world) =>
        (await maps(world)) === 'both kept' &&
        (await owners(world, 'both')) + (await owners(world, 'kept')) === 0,
    },
  ],
};

const { customresourcedefinitions: definitions, leases } = resources;
const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The kind that upstream's API servers serve behind a gate, and ours does not. */
async function serveStorageVersions(world: World): Promise<void> {
  await world.create(definitions, {
    metadata: {
      name: 'storageversions.internal.apiserver.k8s.io',
      annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for the built-in one' },
    },
    spec: {
      group: 'internal.apiserver.k8s.io',
      scope: 'Cluster',
      names: { plural: 'storageversions', singular: 'storageversion', kind: 'StorageVersion' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: OPEN },
          subresources: { status: {} },
        },
      ],
    },
  });
  await letCollect(world, 'storage-version-garbage-collector');
  await eventually(() => world.list(storageVersions), { timeoutMs: 30_000 });
}

/** The role that goes with that gate (k8s bootstrappolicy/controller_policy.go). */
async function letCollect(world: World, account: string): Promise<void> {
  const metadata = { name: `system:controller:${account}` };
  await world.create(clusterroles, {
    metadata,
    rules: [
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        verbs: ['get', 'list', 'watch'],
      },
      {
        apiGroups: ['internal.apiserver.k8s.io'],
        resources: ['storageversions'],
        verbs: ['get', 'list', 'watch', 'delete'],
      },
      {
        apiGroups: ['internal.apiserver.k8s.io'],
        resources: ['storageversions/status'],
        verbs: ['update'],
      },
    ],
  });
  await world.create(resources.clusterrolebindings, {
    metadata,
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
  });
}

async function storageVersion(
  world: World,
  name: string,
  servers: readonly string[],
): Promise<void> {
  await world.create(storageVersions, { metadata: { name }, spec: {} });
  const said = servers.map((apiServerID) => ({ apiServerID, encodingVersion: 'v1' }));
  await world.patchStatus(storageVersions, name, { storageVersions: said });
}

export const storageVersionScenario: Scenario = {
  controller: 'storageversion-garbage-collector-controller',
  kinds: [storageVersions],
  flags: ['--feature-gates=StorageVersionAPI=true'],
  async arrange(world) {
    await serveStorageVersions(world);
    for (const name of ['api-1', 'api-2'])
      await world.create(leases, {
        metadata: {
          name,
          namespace: 'kube-system',
          labels: { 'apiserver.kubernetes.io/identity': 'kube-apiserver' },
        },
        spec: { holderIdentity: name },
      });
    await storageVersion(world, 'apps.deployments', ['api-1', 'api-2']);
    await storageVersion(world, 'batch.jobs', ['api-2']);
  },
  acts: [
    {
      do: (world) =>
        world.client.resource(leases).delete({ namespace: 'kube-system', name: 'api-2' }),
      until: async (world) => {
        const [left, ...more] = await world.list(storageVersions);
        return more.length === 0 && left?.status?.commonEncodingVersion === 'v1';
      },
    },
  ],
};

const owners = async (world: World, name: string): Promise<number> =>
  (await world.get(configmaps, { namespace: NS, name })).metadata.ownerReferences?.length ?? 0;

const role = (world: World, name: string, verb: string): Promise<unknown> =>
  world.create(clusterroles, {
    metadata: { name, labels: { part: 'yes' } },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }],
  });

const ruleCount = async (world: World): Promise<number | undefined> =>
  (await world.get(clusterroles, { name: 'whole' })).rules?.length;

export const aggregationScenario: Scenario = {
  controller: 'clusterrole-aggregation-controller',
  kinds: [clusterroles],
  async arrange(world) {
    await role(world, 'part-1', 'get');
    const clusterRoleSelectors = [{ matchLabels: { part: 'yes' } }];
    await world.create(clusterroles, {
      metadata: { name: 'whole' },
      aggregationRule: { clusterRoleSelectors },
    });
  },
  acts: [
    { do: () => Promise.resolve(), until: async (world) => (await ruleCount(world)) === 1 },
    {
      do: (world) => role(world, 'part-2', 'list'),
      until: async (world) => (await ruleCount(world)) === 2,
    },
  ],
};
