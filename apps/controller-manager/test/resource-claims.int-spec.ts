import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Pod, ResourceClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const FINALIZER = 'resource.kubernetes.io/delete-protection';
const plane = useControlPlane({ controllers: ['resourceclaim', 'garbagecollector'] });

const { pods, resourceclaims: claims, resourceclaimtemplates: templates } = resources;
const request = { name: 'r', exactly: { deviceClassName: 'gpu' } };
const spec = { devices: { requests: [request] } };
const result = { request: 'r', driver: 'gpu.example.com', pool: 'n1', device: 'd0' };
const allocation = { devices: { results: [result] } };

const pod = (name: string, entry: object, more: object = {}): Promise<Pod> =>
  plane.create(pods, {
    metadata: { name, namespace: NS },
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      resourceClaims: [{ name: 'gpu', ...entry }],
      ...more,
    },
  });

const claimsOf = async (owner: Pod): Promise<ResourceClaim[]> => {
  const { items } = await plane.client.resource(claims).list({ namespace: NS });
  return items.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === owner.metadata.uid);
};

const find = (name: string): Promise<ResourceClaim> =>
  plane.client.resource(claims).get({ namespace: NS, name });

/** As the scheduler does it: the finalizer first. */
async function allocate(name: string, ...users: readonly Pod[]): Promise<void> {
  const client = plane.client.resource(claims);
  const claim = await find(name);
  const held = await client.update({
    ...claim,
    metadata: { ...claim.metadata, finalizers: [FINALIZER] },
  });
  const reservedFor = users.map(({ metadata }) => ({
    resource: 'pods',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
  }));
  await client.updateStatus({ ...held, status: { allocation, reservedFor } });
}

const usersOf = async (name: string): Promise<string[]> =>
  ((await find(name)).status?.reservedFor ?? []).map((each) => each.name);

const remove = (name: string): Promise<void> =>
  plane.client.resource(pods).delete({ namespace: NS, name }, { gracePeriodSeconds: 0 });

beforeAll(async () => {
  await plane.create(templates, { metadata: { name: 't', namespace: NS }, spec: { spec } });
  await plane.create(claims, { metadata: { name: 'shared', namespace: NS }, spec });
});

describe('the resource claim controller', () => {
  it('makes a claim for a pod and tells its name, makes a lost one anew, and lets it go with a pod that has ended', async () => {
    const owner = await pod('made', { resourceClaimTemplateName: 't' });
    const told = await plane.settled(
      pods,
      { namespace: NS, name: 'made' },
      ({ status }) => status?.resourceClaimStatuses?.[0]?.resourceClaimName !== undefined,
    );
    const [claim, ...others] = await claimsOf(owner);
    expect(others).toEqual([]);
    const name = claim?.metadata.name ?? '';
    expect(told.status?.resourceClaimStatuses).toEqual([{ name: 'gpu', resourceClaimName: name }]);
    expect(name).toMatch(/^made-gpu-[a-z0-9]{5}$/);
    expect(claim?.metadata.annotations).toMatchObject({
      'resource.kubernetes.io/pod-claim-name': 'gpu',
    });

    await plane.client.resource(claims).delete({ namespace: NS, name });
    const again = await eventually(async () => {
      const [second] = await claimsOf(owner);
      expect(second?.metadata.name).not.toBe(name);
      return second?.metadata.name ?? '';
    });
    await plane.settled(
      pods,
      { namespace: NS, name: 'made' },
      ({ status }) => status?.resourceClaimStatuses?.[0]?.resourceClaimName === again,
    );

    await allocate(again, owner);
    await plane.client.resource(pods).patch(
      { namespace: NS, name: 'made' },
      'merge',
      { status: { phase: 'Succeeded' } },
      {
        subresource: 'status',
      },
    );
    await eventually(async () => {
      expect(await claimsOf(owner)).toEqual([]);
    });
  });

  it('takes out pods that are gone, and frees the devices with the last', async () => {
    const [a, b] = [
      await pod('a', { resourceClaimName: 'shared' }),
      await pod('b', { resourceClaimName: 'shared' }),
    ];
    const stranger = { ...a, metadata: { ...a.metadata, name: 'never', uid: 'never' } };
    await allocate('shared', a, b, stranger);
    await eventually(async () => {
      expect(await usersOf('shared')).toEqual(['a', 'b']);
    });
    await remove('a');
    await eventually(async () => {
      expect(await usersOf('shared')).toEqual(['b']);
    });
    expect((await find('shared')).status?.allocation).toEqual(allocation);
    await remove('b');
    await eventually(async () => {
      const { metadata, status } = await find('shared');
      expect([metadata.finalizers ?? [], status?.allocation]).toEqual([[], undefined]);
    });
  });

  it('reserves a claim for a pod that has a node from elsewhere', async () => {
    await plane.create(claims, { metadata: { name: 'placed', namespace: NS }, spec });
    await allocate('placed');
    await pod('placed', { resourceClaimName: 'placed' }, { nodeName: 'n1' });
    await eventually(async () => {
      expect(await usersOf('placed')).toEqual(['placed']);
    });
  });

  it('tells of a template that there is not, and goes on when it comes', async () => {
    const owner = await pod('early', { resourceClaimTemplateName: 'late' });
    await eventually(async () => {
      const { items } = await plane.client.resource(resources.events).list({ namespace: NS });
      expect(items.map(({ reason, message }) => `${reason}: ${message}`)).toContain(
        'FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "late": resourceclaimtemplate.resource.k8s.io "late" not found',
      );
    });
    await plane.create(templates, { metadata: { name: 'late', namespace: NS }, spec: { spec } });
    await eventually(async () => {
      expect((await claimsOf(owner)).length).toBe(1);
    });
  });

  it('lets a deleted claim go that nobody uses', async () => {
    await plane.create(claims, { metadata: { name: 'idle', namespace: NS }, spec });
    await allocate('idle');
    await plane.client.resource(claims).delete({ namespace: NS, name: 'idle' });
    await eventually(async () => {
      const { items } = await plane.client.resource(claims).list({ namespace: NS });
      expect(items.map(({ metadata }) => metadata.name)).not.toContain('idle');
    });
  });
});
