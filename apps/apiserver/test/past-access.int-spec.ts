import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import type { Answer, Json, Replica } from './replica.js';
import { metadataOf, startReplica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-past-'));
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const SECRETS = '/api/v1/namespaces/default/secrets';
const MAPS = '/api/v1/namespaces/default/configmaps';
let server: Replica;
let base = '';

const as = (user: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer token-${user}` },
});
const ask = (user: string, path: string): Promise<Answer> => server.ask(path, as(user));

async function admin(path: string, body: Json): Promise<Answer> {
  const made = await server.ask(path, { method: 'POST', body, ...as('admin') });
  expect(made.status).toBe(201);
  return made;
}

async function grant(user: string, name: string, rules: readonly Json[]): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name };
  await admin(`${RBAC}/clusterroles`, { kind: 'ClusterRole', apiVersion, metadata, rules });
  await admin(`${RBAC}/clusterrolebindings`, {
    kind: 'ClusterRoleBinding',
    apiVersion,
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  });
}

beforeAll(async () => {
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, 'token-admin,admin,1,"system:masters"\ntoken-ann,ann,2\ntoken-bob,bob,3\n');
  server = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: ['--authorization-mode=RBAC', `--token-auth-file=${tokens}`],
  });
  await admin(SECRETS, { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' } });
  const map = await admin(MAPS, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'm' },
  });
  base = `/at/${String(metadataOf(map)['resourceVersion'])}`;
  await grant('ann', 'reads-maps', [
    { verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] },
  ]);
  await grant('bob', 'reads-maps-too', [
    { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] },
  ]);
}, 30_000);

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('who may read the past', () => {
  it('needs leave for the path, by the rules of today', async () => {
    const refused = await ask('ann', `${base}${MAPS}`);
    expect(refused.status).toBe(403);
    expect(refused.json['message']).toBe(`forbidden: User "ann" cannot get path "${base}${MAPS}"`);
    await grant('ann', 'time-travel', [{ verbs: ['get'], nonResourceURLs: ['/at/*'] }]);
    await eventually(async () => (await ask('ann', `${base}${MAPS}`)).status === 200);
    expect((await ask('bob', `${base}${MAPS}/m`)).status).toBe(403);
  });

  it('and what may not be read today may not be read as it was', async () => {
    await eventually(async () => (await ask('ann', `${base}${MAPS}`)).status === 200);
    const refused = await ask('ann', `${base}${SECRETS}`);
    expect(refused.status).toBe(403);
    expect(refused.json['message']).toBe(
      'secrets is forbidden: User "ann" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    expect((await ask('admin', `${base}${SECRETS}/s`)).status).toBe(200);
  });

  it('impersonates, and takes no pin from one who may only read', async () => {
    await eventually(async () => (await ask('ann', `${base}${MAPS}`)).status === 200);
    const headers = { ...as('admin').headers, 'impersonate-user': 'ann' };
    expect((await server.ask(`${base}${SECRETS}`, { headers })).status).toBe(403);
    const pinned = await server.ask(`${base}?for=1h`, { method: 'POST', ...as('ann') });
    expect(pinned.status).toBe(403);
    expect((await server.ask(`${base}${MAPS}`)).status).toBe(403);
  });

  it('tells ages as of then', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const headers = { ...as('admin').headers, accept };
    const { json } = await server.ask(`${base}${MAPS}/m`, { headers });
    const [row] = json['rows'] as { cells: unknown[] }[];
    expect(row?.cells.at(-1)).toMatch(/^[01]s$/);
  });
});
