import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const SERVICES = '/api/v1/namespaces/default/services';

let api: Replica;
/** A.B of the range of services. */
let net: string;

const causesOf = ({ json }: Answer): unknown =>
  ((json['details'] ?? {}) as { causes?: Json[] }).causes?.map(
    ({ field, message }) => `${field as string}: ${(message as string).replaceAll(net, 'NET')}`,
  );

const addressOf = ({ json }: Answer): string => (json['spec'] as { clusterIP: string }).clusterIP;

const post = (query: string, spec: object): Promise<Answer> =>
  api.post(`${SERVICES}${query}`, {
    metadata: { generateName: 'a-' },
    spec: { ports: [{ port: 80 }], ...spec },
  });

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  net = addressOf(await post('?dryRun=All', {}))
    .split('.', 2)
    .join('.');
});

afterAll(async () => {
  await api.close();
});

const OUTSIDE = 'failed to allocate IP 192.0.2.1:';

// k8s pkg/registry/core/service/{storage/alloc.go,ipallocator,portallocator}.
it.each<{ name: string; query: string; spec: object; want: unknown }>([
  {
    name: 'an address of no range',
    query: '',
    spec: { clusterIP: '192.0.2.1' },
    want: [
      `spec.clusterIPs: Invalid value: ["192.0.2.1"]: ${OUTSIDE} the provided network does not match the current range`,
    ],
  },
  {
    name: 'an address of no range, tried',
    query: '?dryRun=All',
    spec: { clusterIP: '192.0.2.1' },
    want: [
      `spec.clusterIPs: Invalid value: ["192.0.2.1"]: ${OUTSIDE} the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is NET.128.0/17`,
    ],
  },
  {
    name: 'a port of no range',
    query: '',
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
    want: [
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ],
  },
  {
    name: 'a port of no range, tried, is not asked after',
    query: '?dryRun=All',
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
    want: undefined,
  },
])('$name', async ({ query, spec, want }) => {
  expect(causesOf(await post(query, spec))).toEqual(want);
});

it('a try takes nothing, and shows the address of the range itself', async () => {
  const tried = await post('?dryRun=All', {});
  expect(addressOf(tried)).toBe(`${net}.128.0`);
  const clusterIP = addressOf(await post('', {}));
  expect((await post('?dryRun=All', { clusterIP })).status).toBe(201);
  expect(causesOf(await post('', { clusterIP }))).toEqual([
    expect.stringMatching(/provided IP is already allocated$/),
  ]);
});
