import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Pod, ResourceClaim } from '@orrery/api';
import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const NS = 'default';
const FINALIZER = 'resource.kubernetes.io/delete-protection';
const plane = useControlPlane({
  controllers: ['resourceclaim', 'device-taint-eviction', 'garbagecollector'],
});

const { pods, resourceclaims: claims, resourceclaimtemplates: templates } = resources;
const GPU = 'example.com/gpu';
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
  it('lets the scheduler’s claim for extended resources go with its pod', async () => {
    const owner = await plane.create(pods, {
      metadata: { name: 'extended', namespace: NS },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            resources: { requests: { [GPU]: '1' }, limits: { [GPU]: '1' } },
          },
        ],
      },
    });
    const { name = '', uid = '' } = owner.metadata;
    await plane.create(claims, {
      metadata: {
        name: 'of-extended',
        namespace: NS,
        annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
      },
      spec,
    });
    await allocate('of-extended', owner);
    const requestMappings = [{ containerName: 'c', resourceName: GPU, requestName: 'r' }];
    const extendedResourceClaimStatus = { resourceClaimName: 'of-extended', requestMappings };
    const key = { namespace: NS, name };
    const told = await plane.patchStatus(pods, key, { extendedResourceClaimStatus });
    expect(told).toMatchObject({ status: { extendedResourceClaimStatus } });
    await plane.patchStatus(pods, key, { phase: 'Succeeded' });
    await eventually(async () => {
      expect(await claimsOf(owner)).toEqual([]);
    });
  });

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
    // Its name is told last.
    const again = await eventually(async () => {
      const { status } = await plane.client.resource(pods).get({ namespace: NS, name: 'made' });
      const names = (await claimsOf(owner)).map(({ metadata }) => metadata.name);
      const now = status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '';
      expect([now === name, names]).toEqual([false, [now]]);
      return now;
    });

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

describe('the device taint eviction controller', () => {
  const slice = (taints: readonly object[]) => ({
    metadata: { name: 'slice' },
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'n1',
      pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'd0', taints }],
    },
  });
  const saidOf = async (name: string): Promise<string[]> => {
    const { items } = await plane.client.resource(resources.events).list({ namespace: NS });
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`);
  };

  it('deletes a pod whose device is broken, and leaves one that may stay for a while', async () => {
    await plane.create(resources.resourceslices, slice([]));
    for (const name of ['strict', 'lenient']) {
      await plane.create(claims, { metadata: { name, namespace: NS }, spec });
      const owner = await pod(name, { resourceClaimName: name }, { nodeName: 'n1' });
      const claim = await find(name);
      const tolerations = [{ operator: 'Exists' as const, tolerationSeconds: 3600 }];
      const results = [{ ...result, ...(name === 'lenient' ? { tolerations } : {}) }];
      const reservedFor = [{ resource: 'pods', name, uid: owner.metadata.uid ?? '' }];
      const status = { allocation: { devices: { results } }, reservedFor };
      await plane.client.resource(claims).updateStatus({ ...claim, status });
    }
    const broken = slice([{ key: 'broken', effect: 'NoExecute' }]);
    await plane.client
      .resource(resources.resourceslices)
      .patch({ name: 'slice' }, 'merge', { spec: { devices: broken.spec.devices } });
    const gone = await plane.settled(
      pods,
      { namespace: NS, name: 'strict' },
      ({ metadata }) => metadata.deletionTimestamp !== undefined,
    );
    expect(gone.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        reason: 'DeletionByDeviceTaintManager',
        message: 'Device Taint manager: deleting due to NoExecute taint',
      }),
    );
    await eventually(async () => {
      expect(await saidOf('strict')).toContain('DeviceTaintManagerEviction: Marking for deletion');
    });
    await plane.client
      .resource(resources.resourceslices)
      .patch({ name: 'slice' }, 'merge', { spec: { devices: slice([]).spec.devices } });
    await eventually(async () => {
      expect(await saidOf('lenient')).toContain('DeviceTaintManagerEviction: Cancelling deletion');
    });
    const { metadata } = await plane.client.resource(pods).get({ namespace: NS, name: 'lenient' });
    expect(metadata.deletionTimestamp).toBeUndefined();
  });
});
