import { describe, expect, it } from '@jest/globals';
import type { Pod, ResourceClaim, ResourceClaimTemplate } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { createMetrics } from '@orrery/component';
import { BY_OWNER, Indexer, byOwner } from '@orrery/informers';
import { PodClaimMaker } from './pod-claim-maker.js';
import { decideFate, generatedClaim, isDone } from './resourceclaim.decide.js';
import { createClaimMeters } from './resourceclaim.metrics.js';

const FINALIZER = 'resource.kubernetes.io/delete-protection';
const entry = { name: 'gpu', resourceClaimTemplateName: 't' };
const pod: Pod = {
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: { containers: [], resourceClaims: [entry] },
};
const spec = {
  devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', adminAccess: true } }] },
};
const template: ResourceClaimTemplate = { metadata: { name: 't', namespace: 'd' }, spec: { spec } };
const user = (uid: string) => ({ resource: 'pods', name: uid, uid });
const allocation = { devices: { results: [] } };

describe('generatedClaim()', () => {
  it('has what the template says, and goes with the pod', () => {
    const metadata = { labels: { a: 'b' }, annotations: { c: 'd' } };
    expect(generatedClaim(pod, entry, { ...template, spec: { metadata, spec } })).toMatchObject({
      metadata: {
        generateName: 'p-gpu-',
        namespace: 'd',
        labels: { a: 'b' },
        annotations: { c: 'd', 'resource.kubernetes.io/pod-claim-name': 'gpu' },
        ownerReferences: [{ kind: 'Pod', name: 'p', uid: 'u', controller: true }],
      },
      spec,
    });
  });

  it('shortens both names where they are too long', () => {
    const long = { ...pod, metadata: { ...pod.metadata, name: 'p'.repeat(60) } };
    const { generateName = '' } = generatedClaim(
      long,
      { ...entry, name: 'c'.repeat(30) },
      template,
    ).metadata;
    expect(generateName).toBe(`${'p'.repeat(37)}-${'c'.repeat(18)}`);
    expect(generateName.length).toBeLessThanOrEqual(57);
  });
});

describe('isDone()', () => {
  it.each([
    { name: 'a pod that waits', change: {}, want: false },
    { name: 'a pod that has ended', change: { status: { phase: 'Failed' as const } }, want: true },
    {
      name: 'a pod that is deleted before it had a node',
      change: { metadata: { deletionTimestamp: 'now' } },
      want: true,
    },
    {
      name: 'a pod that is deleted and still runs',
      change: { metadata: { deletionTimestamp: 'now' }, spec: { containers: [], nodeName: 'n' } },
      want: false,
    },
  ])('$name: $want', ({ change, want }) => {
    expect(isDone({ ...pod, ...change })).toBe(want);
  });
});

describe('decideFate()', () => {
  const claim = (status: ResourceClaim['status'], metadata: object = {}): ResourceClaim => ({
    metadata: { name: 'x', finalizers: [FINALIZER], ...metadata },
    spec: {},
    ...(status ? { status } : {}),
  });
  const gone = { deletionTimestamp: 'now' };

  it.each([
    {
      name: 'nothing happens while all use it',
      claim: claim({ allocation, reservedFor: [user('a')] }),
      valid: [user('a')],
      want: { release: false, idle: false },
    },
    {
      name: 'it is kept for those who still use it',
      claim: claim({ allocation, reservedFor: [user('a'), user('b')] }),
      valid: [user('b')],
      want: { status: { allocation, reservedFor: [user('b')] }, release: false, idle: false },
    },
    {
      name: 'with the last the devices are free',
      claim: claim({ allocation, reservedFor: [user('a')] }),
      valid: [],
      want: { status: {}, release: true, idle: true },
    },
    {
      name: 'what was never used keeps its devices',
      claim: claim({ allocation }),
      valid: [],
      want: { release: false, idle: true },
    },
    {
      name: 'what was never used gives them back when it is deleted',
      claim: claim({ allocation }, gone),
      valid: [],
      want: { status: {}, release: true, idle: true },
    },
    {
      name: 'a deleted claim without devices goes',
      claim: claim(undefined, gone),
      valid: [],
      want: { release: true, idle: true },
    },
    {
      name: 'devices that somebody else gave are not ours to take',
      claim: claim({ allocation, reservedFor: [user('a')] }, { finalizers: [] }),
      valid: [],
      want: { status: { allocation }, release: false, idle: true },
    },
  ])('$name', ({ claim: each, valid, want }) => {
    expect(decideFate(each, valid)).toEqual(want);
  });
});

describe(PodClaimMaker.name, () => {
  const made: ResourceClaim[] = [];
  const metrics = createMetrics();
  const maker = (known: readonly ResourceClaim[], templates: readonly ResourceClaimTemplate[]) => {
    const [claims, all] = [new Indexer<ResourceClaim>(), new Indexer<ResourceClaimTemplate>()];
    claims.addIndex(BY_OWNER, byOwner);
    for (const each of known) claims.set(each);
    for (const each of templates) all.set(each);
    const client = {
      create: (claim: ResourceClaim) => {
        made.push(claim);
        return Promise.resolve({ ...claim, metadata: { ...claim.metadata, name: 'p-gpu-x' } });
      },
    } as unknown as ResourceClient<ResourceClaim>;
    const count = createClaimMeters(metrics, claims);
    return new PodClaimMaker({ claims, templates: all, client, count });
  };
  const own: ResourceClaim = {
    ...generatedClaim(pod, entry, template),
    metadata: { ...generatedClaim(pod, entry, template).metadata, name: 'p-gpu-old' },
  };
  const told = {
    ...pod,
    status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'p-gpu-old' }] },
  };

  it.each([
    { name: 'makes a claim', known: [], pod, want: 'p-gpu-x', creates: 1 },
    { name: 'finds one that was made before', known: [own], pod, want: 'p-gpu-old', creates: 0 },
    { name: 'leaves one alone that is told', known: [own], pod: told, want: undefined, creates: 0 },
    { name: 'makes one that was lost anew', known: [], pod: told, want: 'p-gpu-x', creates: 1 },
  ])('$name', async ({ known, pod: asked, want, creates }) => {
    made.length = 0;
    expect(await maker(known, [template]).ensure(asked, entry)).toBe(want);
    expect(made.length).toBe(creates);
  });

  it('tells of a template that there is not', async () => {
    await expect(maker([], []).ensure(pod, entry)).rejects.toThrow(
      'resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
    );
  });

  it('counts claims by upstream’s names', async () => {
    const text = await metrics.text();
    expect(text).toContain(
      'resourceclaim_controller_creates_total{status="success",admin_access="true"} 2',
    );
    expect(text).toContain('resourceclaim_controller_resource_claims');
  });
});
