import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HorizontalPodAutoscaler } from '@orrery/api';
import { ref, resources } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { eventually } from '@orrery/testkit';
import { HookServer } from '../../apiserver/test/hook-server.js';
import type { HookRequest } from '../../apiserver/test/hook-server.js';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const apiservices = ref('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', false);

/** What the metrics APIs answer; specs change it. */
const world = { cpu: '100m', queue: '30', requests: '10', hits: '500m', down: false };

const plane = useControlPlane({
  controllers: ['replicaset', 'deployment', 'horizontalpodautoscaling'],
  flags: ['--horizontal-pod-autoscaler-sync-period=15s'],
  async prepare(folder) {
    const now = new SystemClock().now();
    const ca = await createCa('front-proxy-ca', now);
    const options = { commonName: 'front-proxy-client', usages: ['clientAuth'] as const, now };
    const front = await issueCertificate(ca, { ...options, usages: ['clientAuth'] });
    writeFileSync(join(folder, 'front-ca.crt'), ca.certPem);
    writeFileSync(join(folder, 'front.crt'), front.certPem);
    writeFileSync(join(folder, 'front.key'), front.keyPem);
  },
  apiFlags: (folder) => [
    `--requestheader-client-ca-file=${join(folder, 'front-ca.crt')}`,
    `--proxy-client-cert-file=${join(folder, 'front.crt')}`,
    `--proxy-client-key-file=${join(folder, 'front.key')}`,
  ],
});
let metrics: HookServer;

const value = (name: string, amount: string): object => ({
  describedObject: { kind: 'Pod', namespace: NS, name },
  metric: { name: 'm' },
  timestamp: new Date(plane.clock.now()).toISOString(),
  value: amount,
});

const podNames = async (selector: string): Promise<string[]> => {
  const { items } = await plane.client
    .resource(resources.pods)
    .list({ namespace: NS, labelSelector: selector });
  return items.map(({ metadata }) => metadata.name ?? '');
};

/** Three groups in one extension server. */
async function serve(
  { path }: HookRequest,
  response: Parameters<HookServer['reply']>[1],
): Promise<unknown> {
  const { pathname, searchParams } = new URL(path, 'https://x');
  const names = (): Promise<string[]> => podNames(searchParams.get('labelSelector') ?? '');
  const [, , group = '', , , , place] = pathname.split('/');
  if (pathname.split('/').length === 4)
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: pathname.slice(6),
      resources: [],
    };
  if (world.down) {
    response.writeHead(503, { 'content-type': 'text/plain' });
    response.end('down');
    return undefined;
  }
  if (group === 'metrics.k8s.io')
    return {
      items: (await names()).map((name) => ({
        metadata: { name, namespace: NS },
        timestamp: new Date(plane.clock.now()).toISOString(),
        window: '30s',
        containers: [
          { name: 'c', usage: { cpu: world.cpu } },
          { name: 'sidecar', usage: { cpu: '5m' } },
        ],
      })),
    };
  if (group === 'external.metrics.k8s.io')
    return { items: [{ metricName: 'queue', value: world.queue }] };
  if (place === 'pods') return { items: (await names()).map((name) => value(name, world.hits)) };
  return { items: [value('main', world.requests)] };
}

async function register(group: string, version: string): Promise<void> {
  await plane.create(apiservices, {
    metadata: { name: `${version}.${group}` },
    spec: {
      group,
      version,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      caBundle: metrics.caBundle,
      service: { name: 'metrics', namespace: NS, port: metrics.port },
    },
  });
}

beforeAll(async () => {
  metrics = await HookServer.start('127.237.130.9', ['metrics.default.svc']);
  metrics.reply = serve;
  await plane.create(resources.services, {
    metadata: { name: 'metrics', namespace: NS },
    spec: { clusterIP: '127.237.130.9', ports: [{ port: metrics.port }] },
  });
  await plane.create(resources.endpointslices, {
    metadata: {
      name: 'metrics',
      namespace: NS,
      labels: { 'kubernetes.io/service-name': 'metrics' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.237.66.9'], conditions: { ready: true } }],
    ports: [{ name: '', port: metrics.port }],
  });
  await register('metrics.k8s.io', 'v1beta1');
  await register('custom.metrics.k8s.io', 'v1beta2');
  await register('external.metrics.k8s.io', 'v1beta1');
  await eventually(
    async () => {
      for (const group of ['metrics.k8s.io/v1beta1', 'custom.metrics.k8s.io/v1beta2']) {
        const { code, body } = await plane.client.raw(`/apis/${group}`);
        if (code !== 200) throw new Error(body);
      }
    },
    { timeoutMs: 10_000 },
  );
}, 30_000);

afterAll(() => metrics.close());

/** A Deployment whose pods are ready for an hour, and an autoscaler for it. */
async function scaled(name: string, replicas: number, spec: object): Promise<void> {
  const labels = { app: name };
  const container = { image: 'i', resources: { requests: { cpu: '100m' } } };
  await plane.create(resources.deployments, {
    metadata: { name, namespace: NS },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            { name: 'c', ...container },
            { name: 'sidecar', ...container },
          ],
        },
      },
    },
  });
  await podsReady(name, replicas);
  await plane.create(resources.horizontalpodautoscalers, {
    metadata: { name, namespace: NS },
    spec: {
      maxReplicas: 10,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      ...spec,
    },
  });
}

async function podsReady(app: string, count: number): Promise<void> {
  const names = await eventually(async () => {
    const found = await podNames(`app=${app}`);
    expect(found).toHaveLength(count);
    return found;
  });
  const long = new Date(plane.clock.now() - 3_600_000).toISOString().replace(/\.\d+/, '');
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: long }];
  for (const name of names)
    await plane.patchStatus(
      resources.pods,
      { namespace: NS, name },
      {
        phase: 'Running',
        startTime: long,
        conditions,
      },
    );
  await plane.settled(
    resources.deployments,
    { namespace: NS, name: app },
    ({ status }) => status?.readyReplicas === count,
  );
}

const replicasOf = async (name: string): Promise<number | undefined> =>
  (await plane.get(resources.deployments, { namespace: NS, name })).spec.replicas;

const condition = ({ status }: HorizontalPodAutoscaler, type: string): object | undefined =>
  status?.conditions?.find((c) => c.type === type);

const untilReplicas = (name: string, count: number): Promise<void> =>
  eventually(
    async () => {
      const { status } = await plane.get(resources.horizontalpodautoscalers, {
        namespace: NS,
        name,
      });
      expect([await replicasOf(name), status]).toEqual([count, expect.anything()]);
    },
    { timeoutMs: 25_000 },
  );

const cpuTarget = (percent: number): object => ({
  metrics: [
    {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
    },
  ],
});

describe('HorizontalPodAutoscaler', () => {
  it('grows by the use of cpu and shrinks when the window has passed', async () => {
    world.cpu = '195m';
    await scaled('cpu', 2, cpuTarget(50));
    await untilReplicas('cpu', 4);
    const key = { namespace: NS, name: 'cpu' };
    const hpa = await plane.settled(
      resources.horizontalpodautoscalers,
      key,
      (h) => h.status?.lastScaleTime !== undefined,
    );
    expect(hpa.status).toMatchObject({ currentReplicas: 2, desiredReplicas: 4 });
    expect(hpa.status?.currentMetrics).toEqual([
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '200m' } },
      },
    ]);
    expect(condition(hpa, 'AbleToScale')).toMatchObject({
      status: 'True',
      reason: 'SucceededRescale',
      message: 'the HPA controller was able to update the target scale to 4',
    });
    expect(condition(hpa, 'ScalingActive')).toMatchObject({
      reason: 'ValidMetricFound',
      message:
        'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
    });
    const text = await plane.eventOf(NS, 'cpu', 'SuccessfulRescale');
    expect(text).toBe(
      'New size: 4; reason: cpu resource utilization (percentage of request) above target',
    );
    await podsReady('cpu', 4);
    world.cpu = '15m';
    await plane.clock.step(20_000, 20);
    await plane.settled(
      resources.horizontalpodautoscalers,
      key,
      (h) => (condition(h, 'AbleToScale') as { reason: string }).reason === 'ScaleDownStabilized',
    );
    expect(await replicasOf('cpu')).toBe(4);
    await plane.clock.step(320_000, 5);
    await untilReplicas('cpu', 1);
  }, 20_000);

  it('asks all five kinds of metrics and takes the highest count', async () => {
    world.cpu = '10m';
    const source = {
      metric: { name: 'hits' },
      target: { type: 'AverageValue', averageValue: '250m' },
    };
    await scaled('all', 2, {
      metrics: [
        { type: 'Pods', pods: source },
        {
          type: 'Object',
          object: {
            describedObject: { apiVersion: 'v1', kind: 'Service', name: 'main' },
            metric: { name: 'requests' },
            target: { type: 'Value', value: '10' },
          },
        },
        {
          type: 'External',
          external: {
            metric: { name: 'queue', selector: { matchLabels: { q: 'a' } } },
            target: { type: 'AverageValue', averageValue: '5' },
          },
        },
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container: 'c',
            target: { type: 'AverageValue', averageValue: '10m' },
          },
        },
      ],
    });
    await untilReplicas('all', 4);
    const text = await plane.eventOf(NS, 'all', 'SuccessfulRescale');
    expect(text).toBe(
      'New size: 4; reason: external metric queue(&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
    );
    const { status } = await plane.get(resources.horizontalpodautoscalers, {
      namespace: NS,
      name: 'all',
    });
    expect(status?.currentMetrics?.map(({ type }) => type)).toEqual([
      'Pods',
      'Object',
      'External',
      'ContainerResource',
    ]);
    expect(metrics.seen.map(({ path }) => path)).toContain(
      `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${NS}/services/main/requests`,
    );
  });

  it('obeys a behaviour', async () => {
    world.cpu = '195m';
    await scaled('slow', 2, {
      ...cpuTarget(10),
      behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
    });
    await untilReplicas('slow', 3);
    const hpa = await plane.get(resources.horizontalpodautoscalers, {
      namespace: NS,
      name: 'slow',
    });
    expect(condition(hpa, 'ScalingLimited')).toMatchObject({
      status: 'True',
      reason: 'ScaleUpLimit',
    });
    await podsReady('slow', 3);
    await plane.clock.step(70_000, 5);
    await eventually(async () => {
      // A look that fell together with the step may have counted the time before it.
      await plane.clock.step(16_000);
      expect(await replicasOf('slow')).toBeGreaterThanOrEqual(4);
    });
  });

  it('says what it cannot do', async () => {
    await plane.create(resources.horizontalpodautoscalers, {
      metadata: { name: 'lost', namespace: NS },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' },
      },
    });
    const text = await plane.eventOf(NS, 'lost', 'FailedGetScale');
    expect(text).toBe('deployments.apps "none" not found');
    world.down = true;
    await scaled('blind', 1, cpuTarget(10));
    const failed = await plane.eventOf(NS, 'blind', 'FailedGetResourceMetric');
    expect(failed).toContain(
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: ',
    );
    world.down = false;
    expect(await replicasOf('blind')).toBe(1);
  });
});
