import { describe, expect, it } from '@jest/globals';
import { newNotFound } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { SystemRandom } from '@orrery/component';
import type { ResourceStore } from '@orrery/registry';
import { DialPolicy } from '../subresources/dial-policy.js';
import { ServiceResolver } from './service-resolver.js';

const policy = new DialPolicy(['127.218.0.0/16']);

function resolverOf(
  objects: Readonly<Record<string, object>>,
  toEndpoints = false,
): ServiceResolver {
  const store = (_group: string, _version: string, plural: string): ResourceStore => {
    const get = (_namespace: string, name: string): Promise<{ object: KubeObject }> => {
      const object = objects[plural];
      if (!object) return Promise.reject(newNotFound({ group: '', resource: plural }, name));
      return Promise.resolve({ object: { metadata: { name }, ...object } });
    };
    return { get } as unknown as ResourceStore;
  };
  const self = { host: '127.218.0.1', port: 6443 };
  return new ServiceResolver({ store, random: new SystemRandom(), policy, self, toEndpoints });
}

const service = (spec: object): object => ({ spec: { ports: [{ port: 8443 }], ...spec } });
const endpoints = (ip: string): object => ({
  subsets: [{ addresses: [{ ip }], ports: [{ port: 2379 }] }],
});

interface Case {
  readonly name: string;
  readonly objects: Readonly<Record<string, object>>;
  readonly toEndpoints?: boolean;
  readonly port?: number;
  readonly want: unknown;
}

describe('a Service', () => {
  it.each<Case>([
    {
      name: 'answers at its cluster IP',
      objects: { services: service({ clusterIP: '127.218.128.9' }) },
      want: { host: '127.218.128.9', port: 8443 },
    },
    {
      name: 'answers at an endpoint, when asked so',
      objects: { services: service({}), endpoints: endpoints('127.218.65.2') },
      toEndpoints: true,
      want: { host: '127.218.65.2', port: 2379 },
    },
    {
      name: 'that is not there is told',
      objects: {},
      want: 'service "hook" not found',
    },
    {
      name: 'without the port is told',
      objects: { services: service({ clusterIP: '127.218.128.9' }) },
      port: 443,
      want: 'no service port 443 found for service "hook"',
    },
    {
      name: 'without an address is told',
      objects: { services: service({ clusterIP: 'None' }) },
      want: 'cannot route to service with ClusterIP "None"',
    },
    {
      name: 'without endpoints is told',
      objects: { services: service({}), endpoints: {} },
      toEndpoints: true,
      want: 'no endpoints available for service "hook"',
    },
    {
      name: 'leads nobody to addresses of this host: CVE-2021-25740',
      objects: { services: service({}), endpoints: endpoints('127.0.0.1') },
      toEndpoints: true,
      want: 'address 127.0.0.1 is not allowed',
    },
    {
      name: 'with an external name leads nobody there either',
      objects: { services: service({ type: 'ExternalName', externalName: '169.254.169.254' }) },
      want: 'address 169.254.169.254 is not allowed',
    },
  ])('$name', async ({ objects, toEndpoints = false, port = 8443, want }) => {
    const resolver = resolverOf(objects, toEndpoints);
    const found = await resolver
      .resolve('default', 'hook', port)
      .catch((error: unknown) => (error as Error).message);
    expect(found).toEqual(want);
  });
});
