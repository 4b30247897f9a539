import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { staticReader } from '../../live-view/static-reader.js';
import { resourceAttributes } from '../attributes.js';
import { NodeAuthorizer } from './node.authorizer.js';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'a' },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'bot',
    containers: [
      { name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }] },
    ],
    ephemeralContainers: [{ name: 'e', envFrom: [{ secretRef: { name: 'debug' } }] }],
    volumes: [
      { name: 'v', projected: { sources: [{ configMap: { name: 'conf' } }] } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
    ],
    resourceClaims: [{ name: 'r', resourceClaimName: 'gpu' }],
  },
};
const mirror: Pod = {
  metadata: { name: 'm', namespace: 'a', annotations: { 'kubernetes.io/config.mirror': 'x' } },
  spec: {
    nodeName: 'n1',
    containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'stolen' } }] }],
  },
};
/** Objects that the authorizer looks up, by plural/namespace/name. */
const stored: Readonly<Record<string, object>> = {
  'persistentvolumes//bound': {
    spec: {
      claimRef: { namespace: 'a', name: 'data' },
      csi: { nodePublishSecretRef: { namespace: 'a', name: 'mount' } },
    },
  },
  'persistentvolumes//free': { spec: {} },
  'persistentvolumeclaims/a/data': { spec: { volumeName: 'bound' } },
  'volumeattachments//mine': { spec: { nodeName: 'n1' } },
  'resourceslices//mine': { spec: { nodeName: 'n1' } },
  'podcertificaterequests/a/mine': { spec: { nodeName: 'n1' } },
};
const authorizer = new NodeAuthorizer(
  staticReader([pod, mirror], (p) => p.spec?.nodeName),
  ({ plural }, name, namespace = '') =>
    Promise.resolve(stored[`${plural}/${namespace}/${name}`] as KubeObject | undefined),
);
const scoped = (rawSelector: string): object => ({ selectors: { field: { rawSelector } } });

type Asked = Omit<Parameters<typeof resourceAttributes>[0], 'verb'>;

/** What n1 may, and n2 may not. */
const OF_OTHERS: readonly (readonly [verb: string, at: Asked])[] = [
  ['get', { resource: 'nodes', name: 'n1' }],
  ['watch', { resource: 'nodes', name: 'n1' }],
  ['get', { resource: 'pods', namespace: 'a', name: 'p' }],
  ['list', { resource: 'pods', ...scoped('spec.nodeName=n1') }],
  ['watch', { resource: 'pods', ...scoped('metadata.name!=x,spec.nodeName=n1') }],
  ['get', { resource: 'persistentvolumeclaims', namespace: 'a', name: 'data' }],
  ['get', { resource: 'persistentvolumes', name: 'bound' }],
  ['get', { resource: 'secrets', namespace: 'a', name: 'mount' }],
  ['get', { resource: 'serviceaccounts', namespace: 'a', name: 'bot' }],
  ['get', { group: 'resource.k8s.io', resource: 'resourceclaims', namespace: 'a', name: 'gpu' }],
  ['update', { group: 'resource.k8s.io', resource: 'resourceslices', name: 'mine' }],
  ['list', { group: 'resource.k8s.io', resource: 'resourceslices', ...scoped('spec.nodeName=n1') }],
  ['get', { group: 'storage.k8s.io', resource: 'volumeattachments', name: 'mine' }],
  [
    'get',
    {
      group: 'certificates.k8s.io',
      resource: 'podcertificaterequests',
      namespace: 'a',
      name: 'mine',
    },
  ],
  ['get', { group: 'storage.k8s.io', resource: 'csinodes', name: 'n1' }],
];

describe('NodeAuthorizer', () => {
  it.each([
    {
      name: 'a secret in a pod’s environment',
      node: 'n1',
      at: { verb: 'get', resource: 'secrets', namespace: 'a', name: 'env' },
      want: true,
    },
    {
      name: 'a secret of an ephemeral container',
      node: 'n1',
      at: { verb: 'watch', resource: 'secrets', namespace: 'a', name: 'debug' },
      want: true,
    },
    {
      name: 'a projected config map',
      node: 'n1',
      at: { verb: 'get', resource: 'configmaps', namespace: 'a', name: 'conf' },
      want: true,
    },
    {
      name: 'the secret for another node',
      node: 'n2',
      at: { verb: 'get', resource: 'secrets', namespace: 'a', name: 'env' },
      want: false,
    },
    {
      name: 'a secret of that name elsewhere',
      node: 'n1',
      at: { verb: 'get', resource: 'secrets', namespace: 'b', name: 'env' },
      want: false,
    },
    {
      name: 'all secrets',
      node: 'n1',
      at: { verb: 'list', resource: 'secrets', namespace: 'a' },
      want: false,
    },
    {
      name: 'deleting a secret',
      node: 'n1',
      at: { verb: 'delete', resource: 'secrets', namespace: 'a', name: 'env' },
      want: false,
    },
    {
      name: 'a token of its pod’s account',
      node: 'n1',
      at: {
        verb: 'create',
        resource: 'serviceaccounts',
        subresource: 'token',
        namespace: 'a',
        name: 'bot',
      },
      want: true,
    },
    {
      name: 'a token of another account',
      node: 'n1',
      at: {
        verb: 'create',
        resource: 'serviceaccounts',
        subresource: 'token',
        namespace: 'a',
        name: 'default',
      },
      want: false,
    },
    {
      name: 'its own lease',
      node: 'n1',
      at: {
        verb: 'update',
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'kube-node-lease',
        name: 'n1',
      },
      want: true,
    },
    {
      name: 'another lease',
      node: 'n1',
      at: {
        verb: 'update',
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'kube-node-lease',
        name: 'n2',
      },
      want: false,
    },
    {
      name: 'node status',
      node: 'n1',
      at: { verb: 'patch', resource: 'nodes', subresource: 'status', name: 'n1' },
      want: true,
    },
    {
      name: 'deployments',
      node: 'n1',
      at: { verb: 'get', group: 'apps', resource: 'deployments', namespace: 'a', name: 'x' },
      want: false,
    },
    ...OF_OTHERS.map(([verb, at]) => ({
      name: `${verb} ${JSON.stringify(at)}`,
      node: 'n2',
      at: { verb, ...at },
      want: false,
    })),
    ...OF_OTHERS.map(([verb, at]) => ({
      name: `${verb} ${JSON.stringify(at)}`,
      node: 'n1',
      at: { verb, ...at },
      want: true,
    })),
  ])('answers $want for $name of $node', async ({ node, at, want }) => {
    const user = { name: `system:node:${node}`, groups: ['system:nodes'] };
    const decision = await authorizer.authorize({ user, info: resourceAttributes(at) });
    expect(decision.allowed).toBe(want);
  });

  it.each([
    {
      name: 'all nodes',
      at: { verb: 'list', resource: 'nodes' },
      want: "node 'n1' cannot read all nodes, only its own Node object",
    },
    {
      name: 'another node',
      at: { verb: 'get', resource: 'nodes', name: 'n2' },
      want: "node 'n1' cannot read 'n2', only its own Node object",
    },
    {
      name: 'all pods',
      at: { verb: 'watch', resource: 'pods' },
      want: 'can only list/watch pods with spec.nodeName field selector',
    },
    {
      name: 'pods of another node',
      at: { verb: 'list', resource: 'pods', ...scoped('spec.nodeName=n2') },
      want: 'can only list/watch pods with spec.nodeName field selector',
    },
    {
      name: 'all slices',
      at: { verb: 'list', group: 'resource.k8s.io', resource: 'resourceslices' },
      want: 'can only list/watch/deletecollection resourceslices with nodeName field selector',
    },
    {
      name: 'claims of a namespace',
      at: { verb: 'list', resource: 'persistentvolumeclaims', namespace: 'a' },
      want: 'No Object name found',
    },
    {
      name: 'a volume that is bound to nothing',
      at: { verb: 'get', resource: 'persistentvolumes', name: 'free' },
      want: "no relationship found between node 'n1' and this object",
    },
    {
      name: 'a secret that it gave itself by a mirror pod',
      at: { verb: 'get', resource: 'secrets', namespace: 'a', name: 'stolen' },
      want: "no relationship found between node 'n1' and this object",
    },
  ])('says why it refuses $name', async ({ at, want }) => {
    const user = { name: 'system:node:n1', groups: ['system:nodes'] };
    const decision = await authorizer.authorize({ user, info: resourceAttributes(at) });
    expect(decision).toEqual({ allowed: false, reason: want });
  });

  it('has no say about users that only look like a node', async () => {
    const user = { name: 'system:node:n1', groups: [] };
    const info = resourceAttributes({ verb: 'get', resource: 'nodes', name: 'n1' });
    expect((await authorizer.authorize({ user, info })).allowed).toBe(false);
  });
});
