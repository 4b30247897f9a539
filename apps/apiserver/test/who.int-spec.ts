import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock, parseFlags } from '@orrery/component';
import { keyId, toJwks, toKubeconfig } from '@orrery/pki';
import { useEtcd } from '@orrery/testkit';
import { jwtConfigurationOf } from '../src/authn/jwt-configuration.js';
import { authorizersOf } from '../src/authz/authorization-configuration.js';
import { ApiServerOptions } from '../src/config/options.js';
import { HookServer } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-who-'));
const PODS = '/api/v1/namespaces/default/pods';
const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** Its durations can be put ahead. */
class SpecClock extends SystemClock {
  ahead = 0;

  override monotonic(): number {
    return super.monotonic() + this.ahead;
  }
}

const clock = new SpecClock();
let api: Replica;
let hook: HookServer;
let keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const segment = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as an OpenID Connect provider makes it. */
function tokenOf(claims: Json): string {
  const now = Math.floor(new SystemClock().now() / 1000);
  const all = { iss: hook.url, aud: 'orrery', exp: now + 60, iat: now, ...claims };
  const head = segment({ alg: 'ES256', kid: keyId(keys.publicKey) });
  const text = `${head}.${segment(all)}`;
  const signature = sign('sha256', Buffer.from(text), {
    key: keys.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${text}.${signature.toString('base64url')}`;
}

const ask = (path: string, token: string, how: Json = {}): Promise<Answer> =>
  api.ask(path, { headers: { authorization: `Bearer ${token}` }, ...how });

const whoIs = async (token: string): Promise<Json> => {
  const answer = await ask(WHO, token, { method: 'POST', body: {} });
  return answer.status === 201
    ? ((answer.json['status'] as Json)['userInfo'] as Json)
    : { refused: answer.status };
};

const kubeconfig = (path: string): string =>
  toKubeconfig({
    clusterName: 'hook',
    server: `${hook.url}${path}`,
    caPem: hook.ca.certPem,
    userName: 'apiserver',
    credentials: { token: 'x' },
  });

beforeAll(async () => {
  hook = await HookServer.start('127.218.130.47', ['hook']);
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      `--token-auth-file=${file('tokens.csv', 'root,root,1,system:masters\n')}`,
      `--oidc-issuer-url=${hook.url}`,
      '--oidc-client-id=orrery',
      '--oidc-username-claim=email',
      '--oidc-username-prefix=oidc:',
      '--oidc-groups-claim=roles',
      '--oidc-groups-prefix=oidc:',
      '--oidc-required-claim=tenant=a',
      '--oidc-signing-algs=ES256',
      `--oidc-ca-file=${file('ca.crt', hook.ca.certPem)}`,
      `--authentication-token-webhook-config-file=${file('authn.conf', kubeconfig('/authn'))}`,
      '--authorization-mode=Webhook',
      `--authorization-webhook-config-file=${file('authz.conf', kubeconfig('/authz'))}`,
    ],
    headers: { authorization: 'Bearer root' },
    clock,
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  await hook.close();
});

beforeEach(() => {
  hook.seen.length = 0;
  hook.reply = async ({ path, json }) => {
    if (path === '/.well-known/openid-configuration')
      return { issuer: hook.url, jwks_uri: `${hook.url}/keys` };
    if (path === '/keys') return toJwks([keys.publicKey]);
    const spec = (json['spec'] ?? {}) as Json;
    if (path.startsWith('/authn')) return { status: tokenStatus(String(spec['token'])) };
    return { status: accessStatus(spec) };
  };
});

const tokenStatus = (token: string): Json =>
  token === 'opaque'
    ? {
        authenticated: true,
        user: { username: 'hooked', uid: '7', groups: ['g'], extra: { team: ['a'] } },
      }
    : { authenticated: false };

function accessStatus({ user, resourceAttributes: asked }: Json): Json {
  if (user === 'hooked' && (asked as Json | undefined)?.['verb'] === 'list')
    return { allowed: false, denied: true, reason: 'not on my watch' };
  return { allowed: user !== 'oidc:nobody@example.com' };
}

describe('OpenID Connect tokens', () => {
  const jane = { email: 'jane@example.com', roles: ['dev'], tenant: 'a', jti: 'x1' };

  it('name a user by their claims', async () => {
    expect(await whoIs(tokenOf(jane))).toMatchObject({
      username: 'oidc:jane@example.com',
      groups: ['oidc:dev', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x1'] },
    });
  });

  interface Bad {
    readonly name: string;
    readonly claims: Json;
  }

  it.each<Bad>([
    { name: 'are for somebody else', claims: { aud: 'other' } },
    { name: 'are too old', claims: { exp: 1 } },
    { name: 'lack what is required', claims: { tenant: 'b' } },
    { name: 'have an address that was not verified', claims: { email_verified: false } },
    { name: 'come from another issuer', claims: { iss: 'https://other.example.com' } },
  ])('are refused when they $name', async ({ claims }) => {
    expect(await whoIs(tokenOf({ ...jane, ...claims }))).toEqual({ refused: 401 });
  });

  it('are refused when they are not signed by the issuer', async () => {
    const [head, claims] = tokenOf(jane).split('.');
    expect(await whoIs(`${head}.${claims}.AAAA`)).toEqual({ refused: 401 });
    expect(await whoIs(`${segment({ alg: 'none' })}.${claims}.`)).toEqual({ refused: 401 });
  });
});

describe('keys of the issuer', () => {
  it('are asked for again when a token names an unknown one, but not all the time', async () => {
    const jane = { email: 'jane@example.com', tenant: 'a' };
    expect(await whoIs(tokenOf(jane))).toMatchObject({ username: 'oidc:jane@example.com' });
    keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await whoIs(tokenOf(jane))).toEqual({ refused: 401 });
    clock.ahead += 6000;
    expect(await whoIs(tokenOf(jane))).toMatchObject({ username: 'oidc:jane@example.com' });
  });
});

describe('a token webhook', () => {
  it('says who a token belongs to, once for a while', async () => {
    const user = { username: 'hooked', uid: '7', extra: { team: ['a'] } };
    expect(await whoIs('opaque')).toMatchObject(user);
    expect(await whoIs('opaque')).toMatchObject(user);
    const asked = hook.seen.filter(({ path }) => path === '/authn');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.json).toMatchObject({
      kind: 'TokenReview',
      apiVersion: 'authentication.k8s.io/v1',
      spec: { token: 'opaque', audiences: ['https://kubernetes.default.svc.cluster.local'] },
    });
    expect(await whoIs('unknown')).toEqual({ refused: 401 });
  });
});

describe('an authorization webhook', () => {
  it('is asked what the request line says, and may deny', async () => {
    const denied = await ask(`${PODS}?limit=1`, 'opaque');
    expect(denied.json).toMatchObject({
      code: 403,
      message:
        'pods is forbidden: User "hooked" cannot list resource "pods" in API group "" in the namespace "default": not on my watch',
    });
    expect(hook.seen.find(({ path }) => path.startsWith('/authz'))?.json).toMatchObject({
      kind: 'SubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: {
        user: 'hooked',
        uid: '7',
        groups: ['g', 'system:authenticated'],
        resourceAttributes: { namespace: 'default', verb: 'list', version: 'v1', resource: 'pods' },
      },
    });
    expect((await ask(`${PODS}/none`, 'opaque')).status).toBe(404);
  });

  it('is told what a list is bound to', async () => {
    const query =
      'fieldSelector=spec.nodeName%3Dn1,status.phase!%3DFailed&labelSelector=app+in+(b,a),!c,d%3E5';
    await ask(`${PODS}?${query}`, 'opaque');
    const spec = hook.seen.findLast(({ path }) => path.startsWith('/authz'))?.json['spec'] as Json;
    expect(spec['resourceAttributes']).toMatchObject({
      fieldSelector: {
        requirements: [
          { key: 'spec.nodeName', operator: 'In', values: ['n1'] },
          { key: 'status.phase', operator: 'NotIn', values: ['Failed'] },
        ],
      },
      labelSelector: {
        requirements: [
          { key: 'app', operator: 'In', values: ['a', 'b'] },
          { key: 'c', operator: 'DoesNotExist' },
        ],
      },
    });
  });

  it('cannot list rules, and that is told', async () => {
    const review = await ask('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', 'opaque', {
      method: 'POST',
      body: { spec: { namespace: 'default' } },
    });
    expect(review.json['status']).toMatchObject({
      incomplete: true,
      evaluationError: 'webhook authorizer does not support user rule resolution',
    });
  });

  it('that fails is no permission', async () => {
    hook.reply = ({ path }, response) => {
      if (path === '/authn') return { status: tokenStatus('opaque') };
      response.writeHead(500);
      response.end();
      return undefined;
    };
    const failed = await ask('/api/v1/namespaces/default/secrets', 'opaque');
    expect([failed.status, failed.json['reason']]).toEqual([500, 'InternalError']);
  });
});

describe('configuration', () => {
  const optionsOf = (...argv: string[]): ApiServerOptions =>
    parseFlags(ApiServerOptions, argv, 'kube-apiserver');

  const jwtFile = (jwt: string): ApiServerOptions => {
    const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
    return optionsOf(`--authentication-config=${file('authentication.yaml', `${head}${jwt}`)}`);
  };

  const ISSUER = "issuer: { url: 'https://a.example.com', audiences: [b] }";

  it('of issuers may be a file', () => {
    const options = jwtFile(
      `jwt: [{ ${ISSUER}, claimMappings: { username: { claim: sub, prefix: 'a:' } }, claimValidationRules: [{ claim: hd, requiredValue: x }] }]\nanonymous: { enabled: false }\n`,
    );
    expect(jwtConfigurationOf(options)).toMatchObject({
      anonymous: false,
      issuers: [
        {
          url: 'https://a.example.com',
          audiences: ['b'],
          username: { claim: 'sub', prefix: 'a:' },
          requiredClaims: { hd: 'x' },
        },
      ],
    });
  });

  it.each([
    {
      name: 'an expression that names nothing',
      read: () =>
        jwtConfigurationOf(
          jwtFile(`jwt: [{ ${ISSUER}, claimMappings: { username: { expression: x } } }]`),
        ),
      want: "jwt[0].claimMappings.username.expression: compilation failed: ERROR: <input>:1:1: undeclared reference to 'x'",
    },
    {
      name: 'an expression that makes a number of a user',
      read: () =>
        jwtConfigurationOf(
          jwtFile(`jwt: [{ ${ISSUER}, claimMappings: { username: { expression: '1' } } }]`),
        ),
      want: 'jwt[0].claimMappings.username.expression: must evaluate to string',
    },
    {
      name: 'a claim beside an expression',
      read: () =>
        jwtConfigurationOf(
          jwtFile(
            `jwt: [{ ${ISSUER}, claimMappings: { username: { claim: a, expression: claims.a } } }]`,
          ),
        ),
      want: "jwt[0].claimMappings.username: claim and expression can't both be set",
    },
    {
      name: 'an email that nobody verifies',
      read: () =>
        jwtConfigurationOf(
          jwtFile(
            `jwt: [{ ${ISSUER}, claimMappings: { username: { expression: claims.email } } }]`,
          ),
        ),
      want: 'claims.email_verified must be used',
    },
    {
      name: 'extra fields of Kubernetes',
      read: () =>
        jwtConfigurationOf(
          jwtFile(
            `jwt: [{ ${ISSUER}, claimMappings: { username: { claim: a, prefix: '' }, extra: [{ key: a.k8s.io/b, valueExpression: claims.a }] } }]`,
          ),
        ),
      want: 'jwt[0].claimMappings.extra[0].key: k8s.io, kubernetes.io and their subdomains are reserved',
    },
    {
      name: 'paths of strangers where there are to be none',
      read: () =>
        jwtConfigurationOf(jwtFile('anonymous: { enabled: false, conditions: [{ path: /x }] }')),
      want: 'enabled should be set to true when conditions are defined',
    },
    {
      name: 'an issuer without a client',
      read: () => jwtConfigurationOf(optionsOf('--oidc-issuer-url=https://a.example.com')),
      want: '--oidc-issuer-url and --oidc-client-id must be specified together',
    },
    {
      name: 'a webhook mode without a webhook',
      read: () => authorizersOf(optionsOf('--authorization-mode=Node,Webhook')),
      want: 'mode Webhook needs --authorization-webhook-config-file',
    },
    {
      name: 'authorizers that nobody can reach',
      read: () =>
        authorizersOf(
          optionsOf(
            `--authorization-config=${file(
              'authorization.yaml',
              'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers: [{ type: Webhook, name: w, webhook: { failurePolicy: Deny, matchConditions: [{ expression: x }] } }]',
            )}`,
          ),
        ),
      want: 'authorizers[0].webhook.connectionInfo: only type KubeConfigFile',
    },
  ])('refuses $name by name', ({ read, want }) => {
    expect(read).toThrow(want);
  });

  it('of authorizers may be a file', () => {
    const conf = file('authz2.conf', kubeconfig('/authz'));
    const options = optionsOf(
      `--authorization-config=${file(
        'chain.yaml',
        `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n- { type: Node, name: node }\n- type: Webhook\n  name: w\n  webhook: { timeout: 3s, authorizedTTL: 5s, unauthorizedTTL: 1s, subjectAccessReviewVersion: v1, failurePolicy: Deny, connectionInfo: { type: KubeConfigFile, kubeConfigFile: '${conf}' } }\n`,
      )}`,
    );
    expect(authorizersOf(options)).toMatchObject([
      { mode: 'Node' },
      {
        mode: 'Webhook',
        webhook: { name: 'w', timeoutMs: 3000, authorizedTtlMs: 5000, onFailure: 'Deny' },
      },
    ]);
  });
});
