import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'streams-'));
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const PODS = '/api/v1/namespaces/default/pods';
const UPGRADE = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
let api: Replica;

const told = ({ status, json }: Answer): unknown[] => [status, json['reason'], json['message']];

beforeAll(async () => {
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, 'admin,admin,1,system:masters\nreader,reader,2\n');
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      '--disable-admission-plugins=ServiceAccount',
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
    ],
    headers: { authorization: 'Bearer admin' },
  });
  const rules = [
    {
      apiGroups: [''],
      resources: ['pods/exec', 'pods/attach', 'pods/portforward'],
      verbs: ['get'],
    },
  ];
  await api.post(`${RBAC}/clusterroles`, { metadata: { name: 'reader' }, rules });
  await api.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
  });
  const pod = (name: string, containers: readonly string[], more = {}): Promise<Answer> =>
    api.post(PODS, {
      metadata: { name },
      spec: { containers: containers.map((one) => ({ name: one, image: 'i' })), ...more },
    });
  await pod('one', ['c']);
  await pod('two', ['c', 'd']);
  await pod('placed', ['c'], { nodeName: 'gone' });
}, 60_000);

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

// k8s pkg/registry/core/pod/rest/subresources.go: the handler is made, and with it the way to the kubelet found, before it
// is seen whether the client wishes to upgrade.
describe.each([
  { name: 'without an upgrade', headers: {} },
  { name: 'with an upgrade', headers: UPGRADE },
])('a stream of a pod, $name', ({ headers }) => {
  const HOSTLESS = [400, 'BadRequest', 'pod one does not have a host assigned'];
  it.each([
    {
      name: 'that does not exist',
      path: 'none/exec?command=ls',
      want: [404, 'NotFound', 'pods "none" not found'],
    },
    {
      name: 'that does not exist, its ports',
      path: 'none/portforward?ports=80',
      want: [404, 'NotFound', 'pods "none" not found'],
    },
    {
      name: 'whose container must be named',
      path: 'two/attach',
      want: [
        400,
        'BadRequest',
        'a container name must be specified for pod two, choose one of: [c d]',
      ],
    },
    {
      name: 'that has no such container',
      path: 'two/exec?command=ls&container=e',
      want: [400, 'BadRequest', 'container e is not valid for pod two'],
    },
    { name: 'on no node', path: 'one/exec?command=ls', want: HOSTLESS },
    { name: 'on no node, its ports', path: 'one/portforward?ports=80', want: HOSTLESS },
    {
      name: 'on a node that is gone',
      path: 'placed/exec?command=ls',
      want: [404, 'NotFound', 'nodes "gone" not found'],
    },
  ])('$name is refused', async ({ path, want }) => {
    expect(told(await api.ask(`${PODS}/${path}`, { headers }))).toEqual(want);
    expect(told(await api.ask(`${PODS}/${path}`, { method: 'POST', headers }))).toEqual(want);
  });

  // pkg/registry/core/pod/rest/authorize.go:ensureAuthorizedForVerb.
  it.each(['exec?command=ls', 'attach', 'portforward?ports=80'])(
    'is not for who may get %s but not create it',
    async (stream) => {
      const answer = await api.ask(`${PODS}/one/${stream}`, {
        headers: { authorization: 'Bearer reader', ...headers },
      });
      expect(told(answer)).toEqual([403, 'Forbidden', 'pods "one" is forbidden: ']);
      expect(answer.json['details']).toEqual({ name: 'one', kind: 'pods' });
    },
  );
});

describe('a stream that could be', () => {
  it('is refused when no upgrade is wished for', async () => {
    await api.post('/api/v1/nodes', { metadata: { name: 'gone' } });
    await api.ask('/api/v1/nodes/gone/status', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } },
    });
    for (const stream of ['exec?command=ls', 'attach', 'portforward?ports=80'])
      expect(told(await api.ask(`${PODS}/placed/${stream}`))).toEqual([
        400,
        'BadRequest',
        'Upgrade request required',
      ]);
  });
});
