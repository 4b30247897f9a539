import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, privateKeyToPem, publicKeyToPem } from '@orrery/pki';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Ask, Replica } from './replica.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

let etcd: TestEtcd;
let api: Replica;
let dir: string;

const as = (token: string, path: string, how: Ask = {}): Promise<Answer> =>
  api.ask(path, { ...how, headers: { authorization: `Bearer ${token}`, ...how.headers } });

const post = async (path: string, body: unknown): Promise<Answer> => {
  const answer = await as('root', path, { method: 'POST', body });
  expect([201, 200, 409]).toContain(answer.status);
  return answer;
};

/** Lets a user do what the rule says, in the cluster whose path begins with `where`. */
async function grant(where: string, name: string, rule: object, subject: object): Promise<void> {
  await post(`${where}${RBAC}/clusterroles`, { metadata: { name }, rules: [rule] });
  await post(`${where}${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [subject],
  });
}

const READ_MAPS = { apiGroups: [''], resources: ['configmaps'], verbs: ['list'] };
const bob = { kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' };

async function tokenOf(where: string, name: string): Promise<string> {
  const { json } = await post(`${where}${ACCOUNTS}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  });
  return (json['status'] as { token: string }).token;
}

beforeAll(async () => {
  etcd = await startEtcd();
  dir = mkdtempSync(join(tmpdir(), 'orrery-fork-access-'));
  const { privateKey, publicKey } = await generateKeyPair();
  writeFileSync(join(dir, 'sa.key'), privateKeyToPem(privateKey));
  writeFileSync(join(dir, 'sa.pub'), publicKeyToPem(publicKey));
  writeFileSync(join(dir, 'tokens.csv'), 'root,root,1,"system:masters"\nbob,bob,2\n');
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: '/access/',
    flags: [
      `--token-auth-file=${join(dir, 'tokens.csv')}`,
      `--service-account-key-file=${join(dir, 'sa.pub')}`,
      `--service-account-signing-key-file=${join(dir, 'sa.key')}`,
      '--authorization-mode=RBAC',
    ],
  });
  await eventually(async () => (await as('root', '/readyz')).status === 200);
  for (const name of ['robot', 'live-only'])
    await post(ACCOUNTS, { metadata: { name, namespace: 'default' } });
  await post('/forks', { name: 'x' });
}, 60_000);

afterAll(async () => {
  await api.close();
  await etcd.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('who may enter a fork', () => {
  it('is decided by the RBAC of the live cluster, what he may do there by that of the fork', async () => {
    const list = (): Promise<Answer> => as('bob', `/forks/x${MAPS}`);
    expect((await list()).json).toMatchObject({
      code: 403,
      message: `forbidden: User "bob" cannot get path "/forks/x${MAPS}"`,
    });
    expect((await as('bob', '/forks', { method: 'POST', body: {} })).status).toBe(403);
    const enter = { nonResourceURLs: ['/forks/x/*'], verbs: ['*'] };
    await grant('', 'enter', enter, bob);
    await eventually(async () => {
      expect((await list()).json['message']).toMatch(
        /^configmaps is forbidden: User "bob" cannot list resource "configmaps"/,
      );
    });
    await grant('/forks/x', 'read', READ_MAPS, bob);
    await eventually(async () => {
      expect((await list()).status).toBe(200);
    });
    expect((await as('bob', MAPS)).status).toBe(403);
    expect((await as('bob', '/forks/x', { method: 'DELETE' })).status).toBe(403);
  });

  it('is open to the service accounts of the fork, by tokens of its own issuer', async () => {
    const token = await tokenOf('/forks/x', 'robot');
    const list = (): Promise<Answer> => as(token, `/forks/x${MAPS}`);
    expect((await list()).json).toMatchObject({
      code: 403,
      message: expect.stringContaining('User "system:serviceaccount:default:robot"'),
    });
    const robot = { kind: 'ServiceAccount', name: 'robot', namespace: 'default' };
    await grant('/forks/x', 'robot', READ_MAPS, robot);
    await eventually(async () => {
      expect((await list()).status).toBe(200);
    });
    expect((await as(token, MAPS)).status).toBe(401);
    await post('/forks', { name: 'y' });
    expect((await as(token, `/forks/y${MAPS}`)).status).toBe(401);
    const impersonating = { headers: { 'impersonate-user': 'root' } };
    expect((await as(token, `/forks/x${MAPS}`, impersonating)).status).toBe(403);
    await as('root', `/forks/x${ACCOUNTS}/robot`, { method: 'DELETE' });
    await eventually(async () => {
      expect((await list()).status).toBe(401);
    });
    expect((await as('root', `${ACCOUNTS}/robot`)).status).toBe(200);
  });

  it('is as closed to the service accounts of the live cluster as to anybody', async () => {
    const token = await tokenOf('', 'live-only');
    expect((await as(token, `/forks/x${MAPS}`)).json).toMatchObject({ code: 403 });
  });

  it('publishes the keys of the issuer', async () => {
    const live = await as('root', '/openid/v1/jwks');
    const fork = await as('root', '/forks/x/openid/v1/jwks');
    expect(fork.status).toBe(200);
    expect(fork.json['keys']).not.toEqual(live.json['keys']);
  });
});

describe('webhooks', () => {
  it('are off in a fork: what happens there stays there', async () => {
    await post('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
      metadata: { name: 'no-maps' },
      webhooks: [
        {
          name: 'maps.orrery.test',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 1,
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] },
          ],
        },
      ],
    });
    await post('/forks', { name: 'quiet' });
    const body = { metadata: { name: 'm' } };
    await eventually(async () => {
      expect((await as('root', MAPS, { method: 'POST', body })).status).toBe(500);
    });
    expect((await as('root', `/forks/quiet${MAPS}`, { method: 'POST', body })).status).toBe(201);
  });
});
