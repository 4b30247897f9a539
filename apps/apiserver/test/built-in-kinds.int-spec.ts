import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { namesOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const SERVICES = '/api/v1/namespaces/default/services';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

let api: Replica;

beforeAll(async () => {
  const flags = [
    '--disable-admission-plugins=ServiceAccount',
    '--runtime-config=coordination.k8s.io/v1beta1=true',
  ];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const cells = ({ json }: Answer): unknown[][] =>
  ((json['rows'] ?? []) as { cells: unknown[] }[]).map((row) => row.cells);

const causes = ({ json }: Answer): unknown => (json['details'] as Json | undefined)?.['causes'];

describe('discovery', () => {
  // As kube-apiserver 1.20.2 answers; what has no state has none.
  it.each([
    ['/api/v1', 'configmaps', 'qFsyl6wFWjQ='],
    ['/api/v1', 'pods', 'xPOwRZ+Yhw8='],
    ['/api/v1', 'pods/status', undefined],
    ['/api/v1', 'events', 'r2yiGXH7wu8='],
    ['/apis/events.k8s.io/v1', 'events', 'r2yiGXH7wu8='],
    ['/apis/apps/v1', 'deployments', '8aSe+NMegvE='],
    ['/apis/authorization.k8s.io/v1', 'subjectaccessreviews', undefined],
  ])('of %s names the version that %s are stored in', async (path, name, hash) => {
    const { json } = await api.ask(path);
    const resource = (json['resources'] as Json[]).find((one) => one['name'] === name);
    expect(resource).toMatchObject({ name });
    expect(resource?.['storageVersionHash']).toBe(hash);
  });
});

describe('flow control', () => {
  it('has the mandatory and the suggested objects from the start', async () => {
    expect(namesOf(await api.ask(`${FLOW}/prioritylevelconfigurations`))).toEqual([
      'catch-all',
      'exempt',
      'global-default',
      'leader-election',
      'node-high',
      'system',
      'workload-high',
      'workload-low',
    ]);
    const table = await api.ask(`${FLOW}/flowschemas`, { headers: TABLE });
    expect(cells(table).map((row) => [...row.slice(0, 4), row[5]])).toContainEqual([
      'system-leader-election',
      'leader-election',
      100,
      'ByUser',
      'False',
    ]);
  });

  it('keeps the mandatory ones as they are', async () => {
    const path = `${FLOW}/flowschemas/catch-all`;
    const answer = await api.patch(path, 'merge-patch+json', { spec: { matchingPrecedence: 9 } });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("spec of 'catch-all' must equal the fixed value");
  });
});

describe('ranges of cluster IPs', () => {
  it('shows the range of the flags as the default ServiceCIDR', async () => {
    const path = '/apis/networking.k8s.io/v1/servicecidrs';
    const answer = await api.ask(path, { headers: TABLE });
    expect(cells(answer).map((row) => row.slice(0, 2))).toEqual([
      ['kubernetes', '127.218.128.0/17'],
    ]);
  });

  it('shows the address of a Service as an IPAddress that goes with it', async () => {
    const path = '/apis/networking.k8s.io/v1/ipaddresses';
    const made = await api.post(SERVICES, {
      metadata: { name: 'web' },
      spec: { ports: [{ port: 80 }] },
    });
    const { clusterIP } = made.json['spec'] as { clusterIP: string };
    const table = await api.ask(path, { headers: TABLE });
    expect(cells(table)).toContainEqual([clusterIP, 'services/default/web']);
    await api.ask(`${SERVICES}/web`, { method: 'DELETE' });
    expect((await api.ask(`${path}/${clusterIP}`)).status).toBe(404);
  });

  it('takes only what is an address in canonical form', async () => {
    const answer = await api.post('/apis/networking.k8s.io/v1/ipaddresses', {
      metadata: { name: '10.0.0.300' },
      spec: { parentRef: { resource: 'services', name: 'web' } },
    });
    expect(causes(answer)).toEqual([
      {
        reason: 'FieldValueInvalid',
        message:
          'Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        field: 'metadata.name',
      },
    ]);
  });
});

describe('component statuses', () => {
  it('ask the components, and warn of themselves', async () => {
    const answer = await api.ask('/api/v1/componentstatuses', { headers: TABLE });
    expect(answer.headers['warning']).toBe('299 - "v1 ComponentStatus is deprecated in v1.19+"');
    const rows = cells(answer);
    expect(rows.map(([name, status]) => [name, status])).toEqual([
      ['scheduler', 'Unhealthy'],
      ['controller-manager', 'Unhealthy'],
      ['etcd-0', 'Healthy'],
    ]);
    expect(String(rows[0]?.[2])).toMatch(/^Get "https:\/\/127\.240\..*:10259\/healthz"/);
  });

  it('can be read one by one and not be written', async () => {
    expect((await api.ask('/api/v1/componentstatuses/etcd-0')).json['kind']).toBe(
      'ComponentStatus',
    );
    expect((await api.ask('/api/v1/componentstatuses/nope')).status).toBe(404);
    expect((await api.post('/api/v1/componentstatuses', {})).status).toBe(405);
  });
});

describe('beta kinds', () => {
  it('are served where --runtime-config names their group version', async () => {
    const group = await api.ask('/apis/coordination.k8s.io');
    expect(group.json['versions']).toEqual([
      { groupVersion: 'coordination.k8s.io/v1', version: 'v1' },
      { groupVersion: 'coordination.k8s.io/v1beta1', version: 'v1beta1' },
    ]);
    const path = '/apis/coordination.k8s.io/v1beta1/namespaces/default/leasecandidates';
    const answer = await api.post(path, { metadata: { name: 'a' }, spec: { leaseName: 'x' } });
    expect(causes(answer)).toEqual([
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.binaryVersion' },
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.strategy' },
    ]);
  });

  it('are not served elsewhere', async () => {
    expect((await api.ask('/apis/certificates.k8s.io/v1beta1')).status).toBe(404);
    expect((await api.ask('/apis/storagemigration.k8s.io')).status).toBe(404);
  });
});

describe('a pod without containers', () => {
  it.each([
    ['nothing', {}],
    ['an empty spec', { spec: {} }],
    ['a null', { spec: { containers: null } }],
  ])('is invalid, not a failure of an admission plugin: %s', async (_, given) => {
    const answer = await api.post('/api/v1/namespaces/default/pods', {
      metadata: { name: 'bare' },
      ...given,
    });
    expect([answer.status, answer.json['message']]).toEqual([
      422,
      'Pod "bare" is invalid: spec.containers: Required value',
    ]);
  });
});
