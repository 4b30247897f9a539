import { describe, expect, it } from '@jest/globals';
import type { Pod, ResourceClaim } from '@orrery/api';
import { prepareDevices } from './dynamic-resources.js';

const pod = (entry: object): Pod => ({
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: { containers: [], resourceClaims: [{ name: 'gpu', ...entry }] },
});
const reservedFor = [{ resource: 'pods', name: 'p', uid: 'u' }];
const claim = (status: ResourceClaim['status']): ResourceClaim => ({
  metadata: { name: 'x', namespace: 'd', uid: 'c' },
  spec: {},
  ...(status ? { status } : {}),
});
const result = { request: 'r', driver: 'gpu.example.com', pool: 'n1', device: 'd0' };

const outcome = (of: Pod, found?: ResourceClaim): Promise<string> =>
  prepareDevices(of, () =>
    found ? Promise.resolve(found) : Promise.reject(new Error('not found')),
  ).then(
    () => 'ready',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe('prepareDevices()', () => {
  it.each([
    {
      name: 'a pod without claims is ready',
      pod: { metadata: { name: 'p' }, spec: { containers: [] } },
      want: 'ready',
    },
    {
      name: 'a device without its driver is waited for',
      pod: pod({ resourceClaimName: 'x' }),
      claim: claim({ allocation: { devices: { results: [result] } }, reservedFor }),
      want: 'DRA driver gpu.example.com is not registered',
    },
    {
      name: 'a claim without devices needs nobody',
      pod: pod({ resourceClaimName: 'x' }),
      claim: claim({ allocation: { devices: { results: [] } }, reservedFor }),
      want: 'ready',
    },
    {
      name: 'a claim that is not reserved is not used',
      pod: pod({ resourceClaimName: 'x' }),
      claim: claim({ allocation: { devices: { results: [result] } } }),
      want: 'pod p (u) is not allowed to use ResourceClaim x (c)',
    },
    {
      name: 'a claim that there is not',
      pod: pod({ resourceClaimName: 'x' }),
      want: 'fetch ResourceClaim x: not found',
    },
    {
      name: 'the scheduler’s claim for extended resources is the pod’s own',
      pod: {
        metadata: { name: 'p', namespace: 'd', uid: 'u' },
        spec: { containers: [] },
        status: { extendedResourceClaimStatus: { resourceClaimName: 'x', requestMappings: [] } },
      },
      claim: claim({ allocation: { devices: { results: [result] } }, reservedFor }),
      want: 'ResourceClaim d/x was not created for Pod d/p (Pod is not owner)',
    },
    {
      name: 'a claim that is not made yet',
      pod: pod({ resourceClaimTemplateName: 't' }),
      want: 'pod "d/p": ResourceClaim not created yet',
    },
  ])('$name', async ({ pod: asked, claim: found, want }) => {
    expect(await outcome(asked, found)).toBe(want);
  });
});
