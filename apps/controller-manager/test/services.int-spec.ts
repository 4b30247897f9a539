import { describe, expect, it } from '@jest/globals';
import type { EndpointSlice } from '@orrery/api';
import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { TRIGGER_TIME } from '../src/controllers/endpointslice/trigger-times.js';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const plane = useControlPlane({
  controllers: ['endpoints', 'endpointslice', 'endpointslicemirroring', 'service'],
  flags: ['--load-balancer-pool=127.237.48.0/30', '--max-endpoints-per-slice=2'],
});

const slicesOf = async (service: string): Promise<EndpointSlice[]> =>
  (await plane.list(resources.endpointslices, NS)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service,
  );

const addresses = (slices: readonly EndpointSlice[]): string[] =>
  slices.flatMap(({ endpoints = [] }) => endpoints.flatMap((one) => one.addresses)).sort();

async function readyPod(name: string, nodeName: string, ip: string): Promise<void> {
  await plane.create(resources.pods, {
    metadata: { name, namespace: NS, labels: { app: 'web' } },
    spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
  });
  await plane.patchStatus(
    resources.pods,
    { namespace: NS, name },
    {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  );
}

describe('the endpoints of Services', () => {
  it('say zones and whom they are meant for, in slices and in the older form', async () => {
    for (const [name, zone] of [
      ['n1', 'east'],
      ['n2', 'west'],
    ])
      await plane.create(resources.nodes, {
        metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
      });
    await plane.create(resources.services, {
      metadata: { name: 'web', namespace: NS },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }], trafficDistribution: 'PreferClose' },
    });
    const key = { namespace: NS, name: 'web' };
    const { metadata: made } = await plane.get(resources.services, key);
    await plane.settled(
      resources.endpoints,
      key,
      ({ metadata }) => metadata.annotations?.[TRIGGER_TIME] === made.creationTimestamp,
    );
    await readyPod('a', 'n1', '127.237.65.1');
    await readyPod('b', 'n1', '127.237.65.2');
    await readyPod('c', 'n2', '127.237.66.1');
    const slices = await eventually(async () => {
      const found = await slicesOf('web');
      expect(addresses(found)).toEqual(['127.237.65.1', '127.237.65.2', '127.237.66.1']);
      return found;
    });
    expect(slices).toHaveLength(2);
    const west = slices.flatMap(({ endpoints }) => endpoints).find((one) => one?.nodeName === 'n2');
    expect(west).toMatchObject({ zone: 'west', hints: { forZones: [{ name: 'west' }] } });
    await plane.settled(
      resources.endpoints,
      key,
      ({ subsets }) => subsets?.[0]?.addresses?.length === 3,
    );
  });

  it('that users write are mirrored while the Service has no selector', async () => {
    await plane.create(resources.services, {
      metadata: { name: 'db', namespace: NS },
      spec: { ports: [{ port: 5432 }] },
    });
    const subset = { addresses: [{ ip: '10.9.0.1' }], notReadyAddresses: [{ ip: '10.9.0.2' }] };
    const ports = [{ port: 5432 }];
    await plane.create(resources.endpoints, {
      metadata: { name: 'db', namespace: NS, labels: { mine: 'yes' } },
      subsets: [{ ...subset, ports }],
    });
    const [mirror] = await eventually(async () => {
      const found = await slicesOf('db');
      expect(addresses(found)).toEqual(['10.9.0.1', '10.9.0.2']);
      return found;
    });
    expect(mirror?.metadata.labels).toMatchObject({
      mine: 'yes',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    });
    expect(mirror?.metadata.ownerReferences).toMatchObject([{ kind: 'Endpoints', name: 'db' }]);
    const key = { namespace: NS, name: 'db' };
    const body = { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } };
    await plane.client.resource(resources.endpoints).patch(key, 'merge', body);
    await eventually(async () => {
      expect(await slicesOf('db')).toEqual([]);
    });
  });
});

describe('load balancers', () => {
  const balancer = (name: string): Promise<unknown> =>
    plane.create(resources.services, {
      metadata: { name, namespace: NS },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    });
  const ipOf = async (name: string): Promise<string | undefined> =>
    (await plane.get(resources.services, { namespace: NS, name })).status?.loadBalancer
      ?.ingress?.[0]?.ip;

  it('get addresses of the pool, one each, and give them back', async () => {
    await Promise.all(['one', 'two'].map(balancer));
    const given = await eventually(async () => {
      const ips = await Promise.all(['one', 'two'].map(ipOf));
      expect([...ips].sort()).toEqual(['127.237.48.1', '127.237.48.2']);
      return ips;
    });
    await balancer('late');
    expect(await plane.eventOf(NS, 'late', 'SyncLoadBalancerFailed')).toBe(
      'Error syncing load balancer: failed to ensure load balancer: no addresses are left in the pool',
    );
    await plane.client.resource(resources.services).delete({ namespace: NS, name: 'one' });
    await eventually(async () => {
      expect(await ipOf('late')).toBe(given[0]);
    });
    const body = { spec: { type: 'ClusterIP' } };
    await plane.client
      .resource(resources.services)
      .patch({ namespace: NS, name: 'two' }, 'merge', body);
    await eventually(async () => {
      expect(await ipOf('two')).toBeUndefined();
    });
  });
});
