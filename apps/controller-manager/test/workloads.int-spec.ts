import { describe, expect, it } from '@jest/globals';
import type { ControllerRevision, Pod } from '@orrery/api';
import { ref, resources } from '@orrery/api';
import { connect } from '@orrery/client';
import { freeAddress } from '@orrery/testkit';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const address = await freeAddress();
const METRICS = { host: address.host.replace(/^127\.\d+/, '127.237'), port: address.port };

/** Every controller at once, as a cluster runs them. */
const plane = useControlPlane({
  controllers: ['*', 'bootstrapsigner', 'tokencleaner', '-node-ipam'],
  flags: [
    `--bind-address=${METRICS.host}`,
    `--secure-port=${METRICS.port}`,
    '--authorization-always-allow-paths=/metrics',
  ],
});

const podsOf = async (app: string): Promise<Pod[]> => {
  const { items } = await plane.client
    .resource(resources.pods)
    .list({ namespace: NS, labelSelector: `app=${app}` });
  return items.filter(({ metadata }) => !metadata.deletionTimestamp);
};

const template = (app: string, image: string, restartPolicy = 'Always') => ({
  metadata: { labels: { app } },
  spec: { restartPolicy, containers: [{ name: 'c', image }] },
});

const ready = (pod: Pod): Promise<unknown> =>
  plane.patchStatus(
    resources.pods,
    { namespace: NS, name: pod.metadata.name ?? '' },
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  );

/** What the kubelet does at the end of a pod. */
async function end(pod: Pod, phase: 'Succeeded' | 'Failed', exitCode: number): Promise<void> {
  const finishedAt = '2026-01-01T00:00:00Z';
  await plane.patchStatus(
    resources.pods,
    { namespace: NS, name: pod.metadata.name ?? '' },
    {
      phase,
      containerStatuses: [
        {
          name: 'c',
          image: 'i',
          imageID: 'i',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode, finishedAt } },
        },
      ],
    },
  );
}

const until = <T>(fn: () => Promise<T>): Promise<T> => eventually(fn, { timeoutMs: 8000 });

describe('all controllers together', () => {
  it('surge a DaemonSet: the old pod goes when the new one is available', async () => {
    await plane.create(resources.nodes, { metadata: { name: 'n1' }, status: {} });
    await plane.create(resources.daemonsets, {
      metadata: { name: 'agent', namespace: NS },
      spec: {
        selector: { matchLabels: { app: 'agent' } },
        template: template('agent', 'one'),
        updateStrategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
        },
      },
    });
    const [first] = await until(async () => {
      const pods = await podsOf('agent');
      expect(pods).toHaveLength(1);
      return pods;
    });
    if (first) await ready(first);
    const body = { spec: { template: template('agent', 'two') } };
    await plane.client
      .resource(resources.daemonsets)
      .patch({ namespace: NS, name: 'agent' }, 'merge', body);
    const images = async (): Promise<(string | undefined)[]> =>
      (await podsOf('agent')).map(({ spec }) => spec?.containers[0]?.image).sort();
    await until(async () => {
      expect(await images()).toEqual(['one', 'two']);
    });
    const second = (await podsOf('agent')).find(({ spec }) => spec?.containers[0]?.image === 'two');
    expect([first, second].map((pod) => pod?.metadata.labels?.['pod-template-generation'])).toEqual(
      ['1', '2'],
    );
    if (second) await ready(second);
    await until(async () => {
      expect(await images()).toEqual(['two']);
    });
  });

  it('replace the failed pods of a DaemonSet and say so', async () => {
    await plane.create(resources.daemonsets, {
      metadata: { name: 'frail', namespace: NS },
      spec: { selector: { matchLabels: { app: 'frail' } }, template: template('frail', 'one') },
    });
    const uids: (string | undefined)[] = [];
    for (const times of [1, 2]) {
      const pod = await until(async () => {
        const [one] = await podsOf('frail');
        expect(one && !uids.includes(one.metadata.uid)).toBe(true);
        return one;
      });
      const { name = '', uid } = pod?.metadata ?? {};
      uids.push(uid);
      if (pod) await end(pod, 'Failed', 1);
      await until(async () => {
        const { items } = await plane.client.resource(resources.events).list({ namespace: NS });
        const told = items.filter(({ reason }) => reason === 'FailedDaemonPod');
        expect(told.map(({ message }) => message)).toContain(
          `Found failed daemon pod ${NS}/${name} on node n1, will try to kill it`,
        );
        expect(told.length).toBeGreaterThanOrEqual(times);
      });
    }
  });

  it('make one of two revisions of a template, and find a name beside that of another', async () => {
    const sets = plane.client.resource(resources.daemonsets);
    const revisions = plane.client.resource(resources.controllerrevisions);
    const key = { namespace: NS, name: 'logger' };
    const own = async (): Promise<ControllerRevision[]> =>
      (await revisions.list({ namespace: NS, labelSelector: 'app=logger' })).items.toSorted(
        (a, b) => a.revision - b.revision,
      );
    const set = await plane.create(resources.daemonsets, {
      metadata: { name: key.name, namespace: NS },
      spec: { selector: { matchLabels: { app: 'logger' } }, template: template('logger', 'one') },
    });
    const [first] = await until(async () => {
      const all = await own();
      expect(all).toHaveLength(1);
      return all;
    });
    // An orphan of the same data: it is adopted, counts as the later one, and the pods go over to it.
    const labels = { app: 'logger', 'controller-revision-hash': 'twin' };
    await plane.create(resources.controllerrevisions, {
      metadata: { name: 'logger-twin', namespace: NS, labels },
      data: first?.data,
      revision: 7,
    });
    await sets.patch(key, 'merge', { metadata: { annotations: { look: 'again' } } });
    await until(async () => {
      const left = await own();
      expect(left.map(({ metadata }) => metadata.name)).toEqual(['logger-twin']);
      expect(left[0]?.metadata.ownerReferences?.[0]?.uid).toBe(set.metadata.uid);
      const hashes = (await podsOf('logger')).map(
        ({ metadata: { labels: l } }) => l?.['controller-revision-hash'],
      );
      expect(new Set(hashes)).toEqual(new Set(['twin']));
    });
    // The name of the first template's revision is another's now.
    await plane.create(resources.controllerrevisions, {
      metadata: { name: first?.metadata.name ?? '', namespace: NS },
      data: {},
      revision: 1,
    });
    await sets.patch(key, 'merge', { spec: { template: template('logger', 'two') } });
    await until(async () => expect(await own()).toHaveLength(2));
    const [twin] = await own();
    await revisions.delete({ namespace: NS, name: twin?.metadata.name ?? '' });
    await sets.patch(key, 'merge', { spec: { template: template('logger', 'one') } });
    await until(async () => {
      expect((await sets.get(key)).status?.collisionCount).toBe(1);
      expect((await own()).map(({ revision }) => revision)).toEqual([8, 9]);
    });
    await sets.delete(key);
  });

  it('adopt what comes without an owner: a pod by its ReplicaSet, a ReplicaSet by its Deployment', async () => {
    const { labels, spec } = { labels: { app: 'foster' }, spec: template('foster', 'i') };
    await plane.create(resources.deployments, {
      metadata: { name: 'foster', namespace: NS },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: spec },
    });
    const setsOf = async (): Promise<(string | undefined)[]> => {
      const query = { namespace: NS, labelSelector: 'app=foster' };
      const { items } = await plane.client.resource(resources.replicasets).list(query);
      return items.map(({ metadata }) => metadata.ownerReferences?.[0]?.name);
    };
    await until(async () => {
      expect(await podsOf('foster')).toHaveLength(1);
      expect(await setsOf()).toEqual(['foster']);
    });
    const [{ metadata: { labels: owned } } = { metadata: {} }] = await podsOf('foster');
    // One pod too many: it is taken on, and then one of the two goes.
    const pod = { metadata: { name: 'foundling', namespace: NS, labels: owned }, spec: spec.spec };
    await plane.create(resources.pods, pod);
    await until(async () => {
      const left = await podsOf('foster');
      expect(left).toHaveLength(1);
      expect(left[0]?.metadata.ownerReferences?.[0]?.kind).toBe('ReplicaSet');
    });
    await plane.create(resources.replicasets, {
      metadata: { name: 'lost', namespace: NS, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: { ...labels, lost: 'yes' } },
        template: { ...spec, metadata: { labels: { ...labels, lost: 'yes' } } },
      },
    });
    await until(async () => {
      expect(await setsOf()).toEqual(['foster', 'foster']);
    });
  });

  it('note the revision of a Deployment without a new generation of it', async () => {
    const key = { name: 'noted', namespace: NS };
    const spec = template('noted', 'i');
    const created = await plane.create(resources.deployments, {
      metadata: key,
      spec: { replicas: 1, selector: { matchLabels: { app: 'noted' } }, template: spec },
    });
    await until(async () => {
      const { metadata, status } = await plane.client.resource(resources.deployments).get(key);
      expect(metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
      expect(metadata.generation).toBe(created.metadata.generation);
      expect(status).toMatchObject({ observedGeneration: metadata.generation, replicas: 1 });
    });
  });

  it('end a Job by its indexes', async () => {
    await plane.create(resources.jobs, {
      metadata: { name: 'shards', namespace: NS },
      spec: {
        completionMode: 'Indexed',
        completions: 2,
        parallelism: 2,
        backoffLimitPerIndex: 1,
        template: template('shards', 'i', 'Never'),
      },
    });
    const indexOf = ({ metadata }: Pod): string =>
      metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? '';
    const failuresOf = ({ metadata }: Pod): string | undefined =>
      metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'];
    const running = async (index: string): Promise<Pod> => {
      const pod = (await podsOf('shards')).find(
        (one) => indexOf(one) === index && one.status?.phase === 'Pending',
      );
      if (!pod) throw new Error(`no pod of index ${index}`);
      return pod;
    };
    await end(await until(() => running('0')), 'Succeeded', 0);
    await end(await until(() => running('1')), 'Failed', 1);
    const again = await until(() => running('1'));
    expect(failuresOf(again)).toBe('1');
    await end(again, 'Failed', 1);
    const { status } = await plane.settled(
      resources.jobs,
      { namespace: NS, name: 'shards' },
      (job) => (job.status?.conditions ?? []).some(({ type }) => type === 'Failed'),
    );
    expect(status).toMatchObject({
      failedIndexes: '1',
      completedIndexes: '0',
      succeeded: 1,
      failed: 2,
    });
    expect(status?.conditions?.find(({ type }) => type === 'Failed')?.reason).toBe('FailedIndexes');
  });

  it('make claims of a StatefulSet and remove them as it says', async () => {
    await plane.create(resources.statefulsets, {
      metadata: { name: 'db', namespace: NS },
      spec: {
        serviceName: 'db',
        replicas: 1,
        selector: { matchLabels: { app: 'db' } },
        template: template('db', 'i'),
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    const key = { namespace: NS, name: 'data-db-0' };
    await plane.settled(resources.persistentvolumeclaims, key, ({ metadata }) =>
      (metadata.ownerReferences ?? []).some(({ kind }) => kind === 'StatefulSet'),
    );
    await plane.client.resource(resources.statefulsets).delete({ namespace: NS, name: 'db' });
    await until(async () => {
      const claims = await plane.list(resources.persistentvolumeclaims, NS);
      expect(claims.map(({ metadata }) => metadata.name)).not.toContain('data-db-0');
    });
  });

  it('count custom kinds in quotas, and budget by the scale of custom kinds', async () => {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await plane.create(resources.customresourcedefinitions, {
      metadata: { name: 'rockets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'rockets', singular: 'rocket', kind: 'Rocket' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: {
              scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
            },
          },
        ],
      },
    });
    const rockets = ref('example.com', 'v1', 'rockets', 'Rocket', true);
    const rocket = await until(() =>
      plane.create(rockets, { metadata: { name: 'saturn', namespace: NS }, spec: { replicas: 4 } }),
    );
    await plane.create(resources.pods, {
      metadata: {
        name: 'stage-1',
        namespace: NS,
        labels: { app: 'rocket' },
        ownerReferences: [
          {
            apiVersion: 'example.com/v1',
            kind: 'Rocket',
            name: 'saturn',
            uid: rocket.metadata.uid,
            controller: true,
          },
        ],
      },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await plane.create(resources.poddisruptionbudgets, {
      metadata: { name: 'rockets', namespace: NS },
      spec: { maxUnavailable: '25%', selector: { matchLabels: { app: 'rocket' } } },
    });
    await plane.settled(
      resources.poddisruptionbudgets,
      { namespace: NS, name: 'rockets' },
      ({ status }) => status?.expectedPods === 4 && status.desiredHealthy === 3,
    );
    await plane.create(resources.resourcequotas, {
      metadata: { name: 'launches', namespace: NS },
      spec: { hard: { 'count/rockets.example.com': '3' } },
    });
    const quota = { namespace: NS, name: 'launches' };
    const used = (count: string) =>
      plane.settled(
        resources.resourcequotas,
        quota,
        ({ status }) => status?.used?.['count/rockets.example.com'] === count,
      );
    await used('1');
    await plane.client.resource(rockets).delete({ namespace: NS, name: 'saturn' });
    await plane.clock.step(65_000, 5);
    await used('0');
  });

  it('tell of every queue', async () => {
    const { host, port } = METRICS;
    const own = connect({ server: `https://${host}:${port}`, insecureSkipTlsVerify: true });
    const { body: text } = await own.raw('/metrics');
    await own.close();
    for (const name of ['job', 'daemonset', 'claims', 'horizontalpodautoscaler', 'endpoint_slice'])
      expect(text).toMatch(new RegExp(`workqueue_adds_total\\{name="${name}"\\} \\d+`));
    expect(text).toContain('workqueue_longest_running_processor_seconds');
    // What a client that acts for a controller asks is counted, too.
    expect(text).toMatch(
      /rest_client_requests_total\{[^}]*code="201"[^}]*method="POST"[^}]*\} \d+/,
    );
    expect(plane.logs()).not.toContain('"level":50');
  });
});
