import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { keyId, toJwks, toKubeconfig } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
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
    - expression: '!has(request.resourceAttributes.labelSelector) || request.resourceAttributes.labelSelector.requirements.exists(r, r.key != "unasked")'
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
    reloadMs: 50,
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
    // What a request is bound to can be asked for too.
    const bound = await ask('/api/v1/namespaces/kube-system/pods?labelSelector=unasked', JANE);
    expect(bound.status).toBe(200);
    expect(hook.seen.filter(({ path }) => path.startsWith('/authz'))).toHaveLength(1);
  });
});

/** How often a configuration was read again. */
async function reloadsOf(subject: string, status: string): Promise<number> {
  const { text } = await api.ask('/metrics');
  const name = `apiserver_${subject}_config_controller_automatic_reloads_total`;
  const line = new RegExp(`^${name}\\{[^}]*status="${status}"[^}]*\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

describe('--authentication-config that changes', () => {
  const nameOf = async (): Promise<unknown> => {
    const { json } = await ask(WHO, JANE, { method: 'POST', body: {} });
    return ((json['status'] as Json | undefined)?.['userInfo'] as Json | undefined)?.['username'];
  };

  it('is believed at once', async () => {
    file('authn.yaml', authentication().replace('"jwt:" + claims.sub', '"new:" + claims.sub'));
    await eventually(async () => {
      expect(await nameOf()).toBe('new:jane');
    });
    expect(await reloadsOf('authentication', 'success')).toBe(1);
  });

  it.each([
    { name: 'is no configuration', text: () => 'kind: Nope' },
    {
      name: 'says something else of strangers',
      text: () => authentication().replace('livez', 'x'),
    },
  ])('stays as it was where it $name', async ({ text }) => {
    const before = await reloadsOf('authentication', 'failure');
    file('authn.yaml', text());
    await eventually(async () => {
      expect(await reloadsOf('authentication', 'failure')).toBe(before + 1);
    });
    expect(await nameOf()).toBe('new:jane');
  });

  it('waits for the keys of new issuers', async () => {
    file('authn.yaml', authentication().replaceAll(hook.url, `${hook.url}/other`));
    await eventually(async () => {
      expect(await reloadsOf('authentication', 'failure')).toBeGreaterThan(2);
    });
    expect(await nameOf()).toBe('new:jane');
    file('authn.yaml', authentication());
    await eventually(async () => {
      expect(await nameOf()).toBe('jwt:jane');
    });
  });
});

describe('--authorization-config that changes', () => {
  const statusIn = async (namespace: string): Promise<number> =>
    (await ask(`/api/v1/namespaces/${namespace}/pods`, JANE)).status;

  it('is gone by at once', async () => {
    file('authz.yaml', authorization().replace('"kube-system"', '"kube-public"'));
    await eventually(async () => {
      expect(await statusIn('kube-system')).toBe(200);
    });
    expect(await statusIn('kube-public')).toBe(403);
    expect(await reloadsOf('authorization', 'success')).toBe(1);
  });

  it.each([
    { name: 'is no configuration', text: () => 'kind: Nope' },
    {
      name: 'lacks a mode of the start',
      text: () => authorization().replace('- { type: AlwaysAllow, name: rest }', ''),
    },
    {
      name: 'has a mode that was not there at the start',
      text: () => `${authorization()}- { type: RBAC, name: rbac }`,
    },
  ])('stays as it was where it $name', async ({ text }) => {
    const before = await reloadsOf('authorization', 'failure');
    file('authz.yaml', text());
    await eventually(async () => {
      expect(await reloadsOf('authorization', 'failure')).toBe(before + 1);
    });
    expect([await statusIn('kube-system'), await statusIn('kube-public')]).toEqual([200, 403]);
  });
});
