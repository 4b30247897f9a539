import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { keyId, toJwks, toKubeconfig } from '@orrery/pki';
import { useEtcd } from '@orrery/testkit';
import { HookServer } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'structured-'));
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
let api: Replica;
let hook: HookServer;

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const segment = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(claims: Json): string {
  const now = Math.floor(new SystemClock().now() / 1000);
  const all = { iss: hook.url, aud: 'orrery', exp: now + 600, iat: now, ...claims };
  const text = `${segment({ alg: 'ES256', kid: keyId(keys.publicKey) })}.${segment(all)}`;
  const key = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

const authentication = (): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${hook.url}
    audiences: [orrery, others]
    audienceMatchPolicy: MatchAny
    certificateAuthority: |
${hook.ca.certPem.replace(/^/gm, '      ')}
  claimValidationRules:
  - expression: 'claims.tenant == "a"'
    message: only tenant a
  claimMappings:
    username:
      expression: '"jwt:" + claims.sub'
    groups:
      expression: 'claims.roles.map(role, "role:" + role)'
    uid:
      expression: 'claims.id'
    extra:
    - key: example.com/team
      valueExpression: 'claims.?team.orValue("")'
  userValidationRules:
  - expression: '!user.username.startsWith("jwt:system:")'
    message: names of the system are not for you
anonymous:
  enabled: true
  conditions:
  - path: /livez
`;

const authorization = (): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: hook
  webhook:
    timeout: 3s
    authorizedTTL: 1s
    unauthorizedTTL: 1s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: '${file('hook.conf', kubeconfig())}' }
    matchConditions:
    - expression: 'has(request.resourceAttributes)'
    - expression: 'request.resourceAttributes.namespace == "kube-system"'
    - expression: '!("system:masters" in request.groups)'
- { type: AlwaysAllow, name: rest }
`;

const kubeconfig = (): string =>
  toKubeconfig({
    clusterName: 'hook',
    server: `${hook.url}/authz`,
    caPem: hook.ca.certPem,
    userName: 'apiserver',
    credentials: { token: 'x' },
  });

beforeAll(async () => {
  hook = await HookServer.start('127.218.130.48', ['hook']);
  hook.reply = async ({ path }) => {
    if (path === '/.well-known/openid-configuration')
      return { issuer: hook.url, jwks_uri: `${hook.url}/keys` };
    if (path === '/keys') return toJwks([keys.publicKey]);
    return { status: { allowed: false, denied: true, reason: 'not in kube-system' } };
  };
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      `--token-auth-file=${file('tokens.csv', 'root,root,1,system:masters\n')}`,
      `--authentication-config=${file('authn.yaml', authentication())}`,
      `--authorization-config=${file('authz.yaml', authorization())}`,
    ],
    headers: { authorization: 'Bearer root' },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  await hook.close();
  rmSync(folder, { recursive: true });
});

const ask = (path: string, claims: Json, how: Json = {}): Promise<Answer> =>
  api.ask(path, { headers: { authorization: `Bearer ${tokenOf(claims)}` }, ...how });

const JANE = { sub: 'jane', tenant: 'a', id: '7', roles: ['dev', 'ops'], team: ['x', ''] };

describe('--authentication-config with expressions', () => {
  it('makes the user of the claims', async () => {
    const answer = await ask(WHO, JANE, { method: 'POST', body: {} });
    expect((answer.json['status'] as Json)['userInfo']).toMatchObject({
      username: 'jwt:jane',
      uid: '7',
      groups: ['role:dev', 'role:ops', 'system:authenticated'],
      extra: { 'example.com/team': ['x'] },
    });
  });

  it.each([
    { name: 'claims that a rule refuses', claims: { ...JANE, tenant: 'b' } },
    { name: 'claims that a rule misses', claims: { sub: 'jane' } },
    { name: 'a user that a rule refuses', claims: { ...JANE, sub: 'system:admin' } },
    { name: 'another audience', claims: { ...JANE, aud: 'strangers' } },
    { name: 'a token that has expired', claims: { ...JANE, exp: 1 } },
    { name: 'a name that is no text', claims: { ...JANE, sub: 7 } },
  ])('refuses $name', async ({ claims }) => {
    expect((await ask('/version', claims)).status).toBe(401);
  });

  it('takes each of the audiences', async () => {
    expect((await ask('/version', { ...JANE, aud: ['x', 'others'] })).status).toBe(200);
  });

  it('lets strangers in where it says, and nowhere else', async () => {
    const stranger = { headers: { authorization: '' } };
    expect((await api.ask('/livez', stranger)).status).toBe(200);
    expect((await api.ask('/readyz', stranger)).status).toBe(401);
  });
});

describe('--authorization-config with match conditions', () => {
  it('asks the webhook where all are true, and nowhere else', async () => {
    hook.seen.length = 0;
    const refused = await ask('/api/v1/namespaces/kube-system/pods', JANE);
    expect([refused.status, refused.json['message']]).toEqual([
      403,
      expect.stringContaining('not in kube-system'),
    ]);
    expect((await ask('/api/v1/namespaces/default/pods', JANE)).status).toBe(200);
    expect((await ask('/version', JANE)).status).toBe(200);
    expect((await api.ask('/api/v1/namespaces/kube-system/pods')).status).toBe(200);
    expect(hook.seen.filter(({ path }) => path.startsWith('/authz'))).toHaveLength(1);
  });
});
