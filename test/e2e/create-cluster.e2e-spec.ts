import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { ApiError, createCluster, matchers } from '../../packages/testing/src/index.js';
import type { AnyObject, Cluster, ClusterMatchers } from '../../packages/testing/src/index.js';
import { dist, eventually, shell } from './harness/index.js';

const LONG_MS = 60_000;

process.env['ORRERY_BIN'] = join(dist, 'orrery.js');
expect.extend(matchers);

declare module 'expect' {
  interface Matchers<R> extends ClusterMatchers<R> {}
}

const deployment = (replicas: number): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'nginx' }] },
    },
  },
});

const configMap = (name: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
});

describe('a cluster of a test', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await createCluster();
  }, LONG_MS);
  afterAll(() => cluster.stop(), LONG_MS);

  it(
    'runs what is applied to it',
    async () => {
      await cluster.apply(deployment(2));
      await expect(cluster).toReach('deployment/web', ({ status }) => status?.readyReplicas === 2, {
        timeoutMs: 30_000,
      });
      expect(await cluster.list('po', { labelSelector: 'app=web' })).toHaveLength(2);
    },
    LONG_MS,
  );

  it('takes manifests of several documents, and custom resources as soon as they are defined', async () => {
    const kinds = await cluster.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget, shortNames: [wi] }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer } } } } } }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop }
`);
    expect(kinds.map(({ kind }) => kind)).toEqual(['CustomResourceDefinition', 'Namespace']);
    await cluster.waitFor('crd/widgets.example.com', ({ status }) =>
      status?.conditions?.some(
        ({ type, status: is }: AnyObject) => type === 'Established' && is === 'True',
      ),
    );
    await cluster.apply(
      '{apiVersion: example.com/v1, kind: Widget, metadata: {name: a, namespace: shop}, spec: {size: 3}}',
    );
    expect(await cluster.get('wi/a', { namespace: 'shop' })).toMatchObject({ spec: { size: 3 } });
  });

  it('says what the API said, and how an object was that did not become as wanted', async () => {
    await expect(cluster.get('pod/absent')).rejects.toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'pods "absent" not found',
    });
    await expect(cluster.get('pod/absent')).rejects.toBeInstanceOf(ApiError);
    await expect(cluster.get('gizmo/x')).rejects.toThrow('the cluster has no resource type gizmo');
    const late = cluster.waitFor('deployment/web', () => false, { timeoutMs: 200 });
    await expect(late).rejects.toThrow(/deployment\/web was not as wanted after 200 ms: it is \{/);
  });

  it.each([
    [{ nodes: -1 }, /nodes must not be less than 0/],
    [{ scheduler: 'yes' }, /scheduler must be a boolean/],
    [{ workers: 3 }, /unknown option workers; there are nodes, controllers, scheduler, services/],
  ])('refuses %j by name', async (options, message) => {
    await expect(createCluster(options as object)).rejects.toThrow(message);
  });

  it(
    'gives kubectl a kubeconfig',
    async () => {
      const { stdout } = await shell('kubectl get deployment web -o name', {
        env: { KUBECONFIG: cluster.kubeconfigPath },
      });
      expect(stdout.trim()).toBe('deployment.apps/web');
    },
    LONG_MS,
  );

  it('has its past', async () => {
    const { metadata } = await cluster.create(configMap('then'));
    await cluster.patch('configmap/then', { data: { k: 'now' } });
    const then = await cluster.at(metadata.resourceVersion).get('configmap/then');
    expect(then['data']).toBeUndefined();
  });

  it('is forked, and never sees what is done to the fork', async () => {
    const fork = await cluster.fork();
    await fork.delete('deployment/web');
    await fork.create(configMap('only-here'));
    expect(await cluster.find('deployment/web')).toBeDefined();
    expect(await cluster.find('configmap/only-here')).toBeUndefined();
    expect(await fork.find('deployment/web')).toBeUndefined();
    await fork.remove();
    await expect(fork.list('pods')).rejects.toMatchObject({ code: 404 });
  });

  it(
    'fails requests and expires watches as told',
    async () => {
      const match = { verbs: ['create'], resources: ['secrets'] };
      await cluster.faults.fail(match, { code: 429, message: 'not now' }, 1);
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
      await expect(cluster.create(secret)).rejects.toMatchObject({ code: 429, message: 'not now' });
      await cluster.create(secret);
      await eventually(async () => {
        expect(await cluster.faults.expireWatches({ resources: ['deployments'] })).toBeGreaterThan(
          0,
        );
      });
      await cluster.patch('deployment/web', { spec: { replicas: 1 } });
      await cluster.waitFor('deployment/web', ({ status }) => status?.replicas === 1);
    },
    LONG_MS,
  );

  it(
    'has further clusters beside it that share nothing with it',
    async () => {
      const bare = { nodes: 0, controllers: false, scheduler: false };
      const others = await Promise.all([createCluster(bare), createCluster(bare)]);
      const [one, two] = others as [Cluster, Cluster];
      await one.create(configMap('mine'));
      expect(await two.find('configmap/mine')).toBeUndefined();
      expect(await cluster.find('configmap/mine')).toBeUndefined();
      expect(await one.list('nodes')).toEqual([]);
      // Without controllers nobody makes service accounts, and pods need none.
      await one.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'c', image: 'busybox' }] },
      });
      await Promise.all(others.map((other) => other.stop()));
    },
    LONG_MS,
  );

  it(
    'steps its clock: what falls due meanwhile happens',
    async () => {
      const other = await createCluster({ nodes: 0, scheduler: false });
      await other.apply(`
apiVersion: batch/v1
kind: CronJob
metadata: { name: hourly }
spec:
  schedule: '0 * * * *'
  jobTemplate:
    spec:
      template: { spec: { restartPolicy: Never, containers: [{ name: c, image: busybox }] } }
`);
      const leaderOf = async (): Promise<unknown> => {
        const lease = await other.get('lease/kube-controller-manager', {
          namespace: 'kube-system',
        });
        const { holderIdentity, acquireTime, leaseTransitions } = lease['spec'] ?? {};
        return { holderIdentity, acquireTime, leaseTransitions };
      };
      await other.waitFor('lease/kube-controller-manager', ({ spec }) => spec?.holderIdentity, {
        namespace: 'kube-system',
      });
      const leader = await leaderOf();
      const before = await other.clock.now();
      await other.clock.step('1h');
      expect((await other.clock.now()).getTime() - before.getTime()).toBeGreaterThanOrEqual(
        3_600_000,
      );
      await other.waitFor('cronjob/hourly', ({ status }) => status?.lastScheduleTime, {
        timeoutMs: 30_000,
      });
      const [job, ...others] = await other.list('jobs');
      expect(others).toEqual([]);
      // Made when it was due, by a controller that had kept its lease all the while.
      expect(job?.['metadata']?.['creationTimestamp']).toMatch(/:00:0\dZ$/);
      expect(await leaderOf()).toEqual(leader);
      await other.stop();
    },
    LONG_MS,
  );
});

/** A process of its own that makes a cluster, says where, and waits. */
const TEST_PROGRAM = `
const { createCluster } = require(process.argv[2]);
createCluster({ nodes: 1 }).then((cluster) => {
  process.stdout.write(cluster.kubeconfigPath + '\\n');
  setInterval(() => {}, 1000);
});
`;

const processes = (format: string): string[] =>
  execFileSync('ps', ['ax', '-o', format], { encoding: 'utf8' }).split('\n');

/** The process that serves this socket. */
const serverOf = (socket: string): number =>
  parseInt(
    processes('pid=,command=').find((line) => line.includes(`test-server --socket ${socket}`)) ??
      '',
  );

/** The library as a file that a program of its own can load. */
function bundledLibrary(dir: string): string {
  const outfile = join(dir, 'testing.cjs');
  buildSync({
    entryPoints: ['packages/testing/src/index.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    define: { ORRERY_TESTING_FILE: '__filename' },
  });
  return outfile;
}

it('says why the server of a test ended', () => {
  const dir = mkdtempSync(join(tmpdir(), 'no-etcd-test-'));
  const program = `require(${JSON.stringify(bundledLibrary(dir))}).createCluster().catch((e) => console.log(e.message));`;
  const said = execFileSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, ORRERY_ETCD_BIN: '/nowhere/etcd' },
  });
  rmSync(dir, { recursive: true });
  expect(said).toMatch(/^the test server ended: .*\/nowhere\/etcd.*\n$/);
});

describe('a test that is killed', () => {
  it.each([
    ['alone', false],
    ['with its server', true],
  ])(
    '%s leaves no process and no file',
    async (_name, withServer) => {
      const dir = mkdtempSync(join(tmpdir(), 'killed-test-'));
      const library = bundledLibrary(dir);
      writeFileSync(join(dir, 'test.cjs'), TEST_PROGRAM);
      const child = spawn(process.execPath, [join(dir, 'test.cjs'), library], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env },
      });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await eventually(() => expect(said).toMatch(/\n/), { timeoutMs: LONG_MS });
      const base = dirname(dirname(dirname(said.trim())));
      expect(readdirSync(base)).toContain('clusters');
      const socket = join(tmpdir(), `orrery-${child.pid ?? 0}.sock`);
      expect(existsSync(socket)).toBe(true);
      if (withServer) process.kill(serverOf(socket), 'SIGKILL');
      child.kill('SIGKILL');
      await eventually(
        () => {
          expect([base, socket].filter((path) => existsSync(path))).toEqual([]);
          expect(processes('command=').filter((line) => line.includes(base))).toEqual([]);
        },
        { timeoutMs: 30_000 },
      );
      rmSync(dir, { recursive: true });
    },
    2 * LONG_MS,
  );
});
