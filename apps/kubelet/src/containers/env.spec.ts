import { describe, expect, it } from '@jest/globals';
import type { Container, Pod, Service } from '@orrery/api';
import { makeEnvironment } from './env.js';
import type { EnvContext } from './env.js';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web' } },
  spec: { containers: [], nodeName: 'node-1' },
};
const service = (namespace: string, name: string, clusterIP: string): Service => ({
  metadata: { namespace, name },
  spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
});
const context: EnvContext = {
  config: {
    configMap: (_, name) =>
      Promise.resolve(name === 'cm' ? { metadata: { name }, data: { k: 'v' } } : undefined),
    secret: (_, name) =>
      Promise.resolve(name === 's' ? { metadata: { name }, data: { pw: 'aGk=' } } : undefined),
  },
  services: [
    service('ns', 'my-db', '10.0.0.9'),
    service('other', 'x', '10.0.0.8'),
    service('default', 'kubernetes', '10.0.0.1'),
  ],
  addresses: { podIps: ['10.1.1.1'], hostIps: ['192.168.0.1'] },
  clusterDomain: 'cluster.local',
  allocatable: { memory: '8Gi' },
};
const container = (over: Partial<Container>): Container => ({ name: 'c', ...over });

interface Case {
  readonly name: string;
  readonly over: Partial<Container>;
  readonly variable: string;
  readonly want: string | undefined;
}

describe('makeEnvironment()', () => {
  it.each<Case>([
    { name: 'a plain value', over: { env: [{ name: 'A', value: '1' }] }, variable: 'A', want: '1' },
    {
      name: 'a reference to an earlier one',
      over: {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '<$(A)>' },
        ],
      },
      variable: 'B',
      want: '<1>',
    },
    {
      name: 'a reference to a service',
      over: { env: [{ name: 'B', value: '$(MY_DB_SERVICE_HOST)' }] },
      variable: 'B',
      want: '10.0.0.9',
    },
    {
      name: 'a field',
      over: { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
      variable: 'A',
      want: '10.1.1.1',
    },
    {
      name: 'a label',
      over: {
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }],
      },
      variable: 'A',
      want: 'web',
    },
    {
      name: 'a secret key',
      over: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'pw' } } }] },
      variable: 'A',
      want: 'hi',
    },
    {
      name: 'a whole config map with prefix',
      over: { envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }] },
      variable: 'P_k',
      want: 'v',
    },
    {
      name: 'env over envFrom',
      over: { envFrom: [{ configMapRef: { name: 'cm' } }], env: [{ name: 'k', value: 'mine' }] },
      variable: 'k',
      want: 'mine',
    },
    {
      name: 'an absent optional key',
      over: {
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'no', key: 'x', optional: true } } },
        ],
      },
      variable: 'A',
      want: undefined,
    },
    {
      name: 'cpu limit rounded up',
      over: {
        resources: { limits: { cpu: '1500m' } },
        env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }],
      },
      variable: 'A',
      want: '2',
    },
    {
      name: 'memory in units of the divisor',
      over: {
        resources: { limits: { memory: '64Mi' } },
        env: [
          {
            name: 'A',
            valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
          },
        ],
      },
      variable: 'A',
      want: '64',
    },
    {
      name: 'the node for an absent limit',
      over: {
        env: [
          {
            name: 'A',
            valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } },
          },
        ],
      },
      variable: 'A',
      want: '8',
    },
    {
      name: 'the api server always',
      over: {},
      variable: 'KUBERNETES_SERVICE_HOST',
      want: '10.0.0.1',
    },
    {
      name: 'a link to a port',
      over: {},
      variable: 'MY_DB_PORT_80_TCP',
      want: 'tcp://10.0.0.9:80',
    },
    {
      name: 'no service of another namespace',
      over: {},
      variable: 'X_SERVICE_HOST',
      want: undefined,
    },
  ])('gives $name', async ({ over, variable, want }) => {
    expect((await makeEnvironment(pod, container(over), context)).get(variable)).toBe(want);
  });

  it('leaves out links when they are off, but not the api server', async () => {
    const quiet = { ...pod, spec: { ...pod.spec, enableServiceLinks: false } };
    const env = await makeEnvironment(quiet, container({}), context);
    expect([env.has('MY_DB_SERVICE_HOST'), env.has('KUBERNETES_SERVICE_PORT')]).toEqual([
      false,
      true,
    ]);
  });

  it.each([
    {
      name: 'config map',
      over: { envFrom: [{ configMapRef: { name: 'no' } }] },
      want: 'configmap "no" not found',
    },
    {
      name: 'key',
      over: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'z' } } }] },
      want: "couldn't find key z in Secret ns/s",
    },
  ])('names a missing $name', async ({ over, want }) => {
    await expect(makeEnvironment(pod, container(over), context)).rejects.toThrow(want);
  });
});
