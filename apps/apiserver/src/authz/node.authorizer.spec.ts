import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { staticReader } from '../live-view/static-reader.js';
import { resourceAttributes } from './attributes.js';
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
    volumes: [{ name: 'v', projected: { sources: [{ configMap: { name: 'conf' } }] } }],
  },
};
const authorizer = new NodeAuthorizer(staticReader([pod], (p) => p.spec?.nodeName));

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
  ])('answers $want for $name', ({ node, at, want }) => {
    const user = { name: `system:node:${node}`, groups: ['system:nodes'] };
    expect(authorizer.authorize({ user, info: resourceAttributes(at) }).allowed).toBe(want);
  });

  it('has no say about users that only look like a node', () => {
    const user = { name: 'system:node:n1', groups: [] };
    const info = resourceAttributes({ verb: 'get', resource: 'nodes', name: 'n1' });
    expect(authorizer.authorize({ user, info }).allowed).toBe(false);
  });
});
