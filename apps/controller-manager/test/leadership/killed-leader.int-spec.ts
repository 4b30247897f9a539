import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import { ref, resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from '../control-plane.js';
import { LeaderProgram } from './paused-leader.js';
import type { LeaderChild } from './paused-leader.js';

const plane = useControlPlane({});
/** The processes start beside everything else that a machine does. */
const SOON = { timeoutMs: 300_000 };
const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' };
const { customresourcedefinitions: definitions, configmaps, leases } = resources;

const widgets = (group: string): ResourceRef => ref(group, 'v1', 'widgets', 'Widget', true);

const definition = (group: string): object => ({
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
});

async function isGone(of: ResourceRef, name: string, namespace?: string): Promise<boolean> {
  try {
    await plane.get(of, namespace ? { namespace, name } : { name });
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}

const holder = async (): Promise<string> =>
  (await plane.get(leases, LEASE).catch(() => undefined))?.spec?.holderIdentity ?? '';

/** A map that such an object owns. */
const owned = (
  namespace: string,
  name: string,
  owner: KubeObject,
  kind: string,
): Promise<unknown> =>
  plane.create(configmaps, {
    metadata: {
      name,
      namespace,
      ownerReferences: [
        {
          apiVersion: owner.apiVersion ?? 'v1',
          kind,
          name: owner.metadata.name ?? '',
          uid: owner.metadata.uid ?? '',
        },
      ],
    },
  });

const template = {
  metadata: { labels: { a: 'b' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const selector = { matchLabels: { a: 'b' } };

/** One thing that each of some controllers must do in a namespace, and how one sees that it has. */
const WORK: readonly {
  readonly controller: string;
  ask(namespace: string): Promise<unknown>;
  done(namespace: string): Promise<boolean>;
}[] = [
  {
    controller: 'Deployment and ReplicaSet',
    ask: (namespace) =>
      plane.create(resources.deployments, {
        metadata: { name: 'd', namespace },
        spec: { replicas: 1, selector, template },
      }),
    done: (namespace) => hasPod(namespace, 'd-'),
  },
  {
    controller: 'StatefulSet',
    ask: (namespace) =>
      plane.create(resources.statefulsets, {
        metadata: { name: 's', namespace },
        spec: { replicas: 1, serviceName: 's', selector, template },
      }),
    done: (namespace) => hasPod(namespace, 's-0'),
  },
  {
    controller: 'Job',
    ask: (namespace) =>
      plane.create(resources.jobs, {
        metadata: { name: 'j', namespace },
        spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
      }),
    done: (namespace) => hasPod(namespace, 'j-'),
  },
  {
    controller: 'EndpointSlice',
    ask: (namespace) =>
      plane.create(resources.services, {
        metadata: { name: 'web', namespace },
        spec: { selector: { a: 'b' }, ports: [{ port: 80 }] },
      }),
    done: async (namespace) => (await plane.list(resources.endpointslices, namespace)).length > 0,
  },
  {
    controller: 'garbage collector',
    async ask(namespace) {
      const owner = await plane.create(configmaps, { metadata: { name: 'owner', namespace } });
      await owned(namespace, 'owned', owner, 'ConfigMap');
      await plane.client.resource(configmaps).delete({ namespace, name: 'owner' });
    },
    done: (namespace) => isGone(configmaps, 'owned', namespace),
  },
  {
    controller: 'ResourceQuota',
    ask: (namespace) =>
      plane.create(resources.resourcequotas, {
        metadata: { name: 'q', namespace },
        spec: { hard: { 'count/configmaps': '9' } },
      }),
    done: async (namespace) =>
      (await plane.get(resources.resourcequotas, { namespace, name: 'q' })).status?.used !==
      undefined,
  },
];

const hasPod = async (namespace: string, prefix: string): Promise<boolean> =>
  (await plane.list(resources.pods, namespace)).some(({ metadata }) =>
    metadata.name?.startsWith(prefix),
  );

describe('a leader that is killed after definitions of custom resources came and went', () => {
  let program: LeaderProgram;
  const children: LeaderChild[] = [];

  const start = (): LeaderChild => {
    const child = program.start(
      `--kubeconfig=${join(plane.folder, 'kubeconfig')}`,
      '--leader-elect-lease-duration=4s',
      '--leader-elect-renew-deadline=3s',
      '--leader-elect-retry-period=500ms',
    );
    children.push(child);
    return child;
  };

  beforeAll(async () => {
    program = await LeaderProgram.build('manager-child.ts');
  }, 180_000);
  afterAll(async () => {
    await Promise.all(children.map((child) => child.stop()));
    program.remove();
  }, 30_000);

  it('is followed by one that does the work of every controller', async () => {
    const leader = start();
    await eventually(async () => (await holder()) !== '', SOON);
    const first = await holder();
    start();

    await plane.create(definitions, definition('one.example.com'));
    const of = widgets('one.example.com');
    const body = { apiVersion: 'one.example.com/v1', kind: 'Widget' };
    const widget = await eventually(
      () => plane.create(of, { ...body, metadata: { name: 'w', namespace: 'default' } }),
      SOON,
    );
    await owned('default', 'of-widget', { ...widget, ...body }, 'Widget');
    // Once it knows the kind, it knows that this owner has never been.
    await owned('default', 'stray', { ...body, metadata: { name: 'no', uid: 'no' } }, 'Widget');
    await eventually(() => isGone(configmaps, 'stray', 'default'), SOON);
    await plane.client.resource(definitions).delete({ name: 'widgets.one.example.com' });
    await eventually(() => isGone(definitions, 'widgets.one.example.com'), SOON);
    await eventually(() => isGone(configmaps, 'of-widget', 'default'), SOON);
    for (const group of ['two.example.com', 'three.example.com']) {
      await plane.create(definitions, definition(group));
      await plane.client.resource(definitions).delete({ name: `widgets.${group}` });
    }

    await leader.stop();
    const namespace = await plane.createNamespace('after');
    for (const { ask } of WORK) await ask(namespace);
    await eventually(async () => (await holder()) !== first && (await holder()) !== '', SOON);
    for (const { controller, done } of WORK)
      await eventually(async () => {
        if (!(await done(namespace))) throw new Error(`${controller} does nothing`);
      }, SOON);
    await plane.client.resource(resources.namespaces).delete({ name: namespace });
    await eventually(() => isGone(resources.namespaces, namespace), SOON);
    expect(await holder()).not.toBe(first);
  }, 900_000);
});
