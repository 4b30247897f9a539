import { describe, expect, it } from '@jest/globals';
import type { ResourceClaim } from '@orrery/api';
import { kinds } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import { ClaimStatusCheck, modifiedDrivers } from './claim-status-check.js';

type Status = ResourceClaim['status'];

const device = (name: string, driver = 'a', interfaceName = ''): object => ({
  driver,
  pool: 'p',
  device: name,
  ...(interfaceName ? { networkData: { interfaceName } } : {}),
});
const statusOf = (...devices: object[]): Status => ({ devices }) as Status;

describe('modifiedDrivers()', () => {
  it.each([
    { name: 'nothing', now: [device('x')], old: [device('x')], want: [] },
    {
      name: 'another order',
      now: [device('x'), device('y')],
      old: [device('y'), device('x')],
      want: [],
    },
    { name: 'a new device', now: [device('x'), device('y', 'b')], old: [device('x')], want: ['b'] },
    { name: 'a device that is gone', now: [], old: [device('x')], want: ['a'] },
    { name: 'a changed device', now: [device('x', 'a', 'eth0')], old: [device('x')], want: ['a'] },
    {
      name: 'a bit of all',
      now: [device('x', 'a', 'eth0'), device('y', 'b'), device('z', 'c')],
      old: [device('x'), device('y', 'b'), device('w', 'd')],
      want: ['a', 'c', 'd'],
    },
  ])('finds $name', ({ now, old, want }) => {
    expect(modifiedDrivers(statusOf(...now), statusOf(...old))).toEqual(want);
  });
});

describe('ClaimStatusCheck', () => {
  const kind = kinds.find(({ plural }) => plural === 'resourceclaims');
  const on = (node: string): object => ({
    allocation: {
      nodeSelector: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
        ],
      },
    },
  });

  it.each([
    {
      name: 'of its node, by the one verb',
      allowed: 'associated-node:update',
      node: 'n1',
      want: true,
    },
    {
      name: 'of its node, by the other verb',
      allowed: 'arbitrary-node:update',
      node: 'n1',
      want: true,
    },
    { name: 'of its node, by no verb', allowed: 'update', node: 'n1', want: false },
    { name: 'of another node', allowed: 'associated-node:update', node: 'n2', want: false },
    { name: 'of any node', allowed: 'arbitrary-node:update', node: 'n2', want: true },
  ])('a driver may write devices $name: $want', async ({ allowed, node, want }) => {
    if (!kind) throw new Error('no kind of claims');
    const check = new ClaimStatusCheck({
      authorize: ({ info }) => ({
        allowed: info.verb === allowed && info.subresource === 'driver' && info.name === 'a',
      }),
    });
    const user = {
      name: 'system:serviceaccount:kube-system:driver',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
    };
    const attributes: AdmissionAttributes = {
      operation: 'UPDATE',
      kind,
      subresource: 'status',
      namespace: 'default',
      name: 'c',
      dryRun: false,
      context: {
        user,
        userAgent: '',
        auditId: '',
        receivedAt: 0,
        signal: new AbortController().signal,
        warn: () => undefined,
      },
      object: { metadata: {}, status: { ...on(node), ...statusOf(device('x')) } } as ResourceClaim,
      oldObject: { metadata: {}, status: on(node) } as ResourceClaim,
    };
    const answer = check.validate(attributes).then(
      () => true,
      () => false,
    );
    expect(await answer).toBe(want);
  });
});
