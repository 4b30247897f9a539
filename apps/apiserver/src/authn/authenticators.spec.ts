import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { Node, Pod, Secret, ServiceAccount } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import {
  ServiceAccountTokenSigner,
  ServiceAccountTokenVerifier,
  generateKeyPair,
} from '@orrery/pki';
import type { AuthenticationInput } from '../filters/authentication.js';
import type { RequestInfo } from '../filters/request-info.js';
import { staticReader } from '../live-view/static-reader.js';
import { BootstrapTokenAuthenticator } from './bootstrap-token.authenticator.js';
import { ImpersonatingAuthenticator } from './impersonation.js';
import { ServiceAccountAuthenticator } from './service-accounts/service-account.authenticator.js';
import { StaticTokenAuthenticator } from './static-token.authenticator.js';
import { bearerToken } from './token.js';
import { TokenUnion, UnionAuthenticator } from './union.authenticator.js';

const clock = new SystemClock();
const keys = await generateKeyPair();

/** Headers as they were sent; node hands their names out in lower case. */
function input(sent: Record<string, string>): AuthenticationInput {
  const headers = Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const raw = { headers, rawHeaders: Object.entries(sent).flat(), socket: {} };
  return { raw: raw as unknown as IncomingMessage, headers, query: new URLSearchParams() };
}

describe('bearerToken()', () => {
  it.each([
    { name: 'the header', headers: { authorization: 'Bearer abc' }, want: 'abc' },
    {
      name: 'a WebSocket subprotocol',
      headers: {
        'sec-websocket-protocol': `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from('abc').toString('base64url')}`,
      },
      want: 'abc',
    },
    { name: 'nothing of basic', headers: { authorization: 'Basic abc' }, want: undefined },
  ])('reads $name', ({ headers, want }) => {
    expect(bearerToken(headers)).toBe(want);
  });
});

describe('StaticTokenAuthenticator', () => {
  it('reads user, uid and quoted groups', async () => {
    const tokens = new StaticTokenAuthenticator('t1,alice,1,"a,b"\nt2,bob,2\n', 'f.csv');
    expect((await tokens.authenticateToken('t1', []))?.user).toEqual({
      name: 'alice',
      uid: '1',
      groups: ['a', 'b'],
    });
    expect((await tokens.authenticateToken('t2', []))?.user.groups).toEqual([]);
    expect(await tokens.authenticateToken('t3', [])).toBeUndefined();
  });

  it('names a bad line', () => {
    expect(() => new StaticTokenAuthenticator('x\n', 'f.csv')).toThrow('f.csv: line 1');
  });
});

describe('UnionAuthenticator', () => {
  const union = new UnionAuthenticator(
    [],
    new TokenUnion([new StaticTokenAuthenticator('t1,alice,1', 'f')]),
    [],
  );

  it('adds system:authenticated', async () => {
    expect(await union.authenticate(input({ authorization: 'Bearer t1' }))).toMatchObject({
      name: 'alice',
      groups: ['system:authenticated'],
    });
  });

  it('refuses an unknown token but leaves no credentials to the caller', async () => {
    await expect(union.authenticate(input({ authorization: 'Bearer x' }))).rejects.toThrow(
      'Unauthorized',
    );
    expect(await union.authenticate(input({}))).toBeUndefined();
  });
});

describe('BootstrapTokenAuthenticator', () => {
  const encode = (data: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')]),
    );
  const secret = (more: Record<string, string> = {}): Secret => ({
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: encode({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token,system:masters',
      ...more,
    }),
  });

  it('gives bootstrappers, and no group outside their prefix', async () => {
    const tokens = new BootstrapTokenAuthenticator(staticReader([secret()]), clock);
    expect((await tokens.authenticateToken('abcdef.0123456789abcdef', []))?.user).toEqual({
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token'],
    });
  });

  it.each<{ name: string; more: Record<string, string>; token: string }>([
    { name: 'a wrong secret', more: {}, token: 'abcdef.0123456789abcdee' },
    {
      name: 'an expired one',
      more: { expiration: '2020-01-01T00:00:00Z' },
      token: 'abcdef.0123456789abcdef',
    },
    {
      name: 'one for signing only',
      more: { 'usage-bootstrap-authentication': 'false' },
      token: 'abcdef.0123456789abcdef',
    },
  ])('does not know $name', async ({ more, token }) => {
    const tokens = new BootstrapTokenAuthenticator(staticReader([secret(more)]), clock);
    expect(await tokens.authenticateToken(token, [])).toBeUndefined();
  });
});

describe('ServiceAccountAuthenticator', () => {
  const issuer = 'https://issuer';
  const authenticator = (pods: Pod[], uid = 'u1'): ServiceAccountAuthenticator =>
    new ServiceAccountAuthenticator(
      new ServiceAccountTokenVerifier([keys.publicKey], [issuer]),
      {
        serviceAccounts: staticReader<ServiceAccount>([
          { metadata: { name: 'bot', namespace: 'a', uid } },
        ]),
        pods: staticReader(pods),
        secrets: staticReader<Secret>([]),
        nodes: staticReader<Node>([]),
      },
      clock,
    );
  const token = new ServiceAccountTokenSigner(keys, issuer).sign({
    serviceAccount: { namespace: 'a', name: 'bot', uid: 'u1' },
    binding: { pod: { name: 'p', uid: 'p1' } },
    audiences: [issuer],
    now: clock.now(),
    id: 'j1',
    expirationSeconds: 600,
  });
  const livePod: Pod = {
    metadata: { name: 'p', namespace: 'a', uid: 'p1' },
    spec: { containers: [] },
  };

  it('knows account and pod', async () => {
    const found = await authenticator([livePod]).authenticateToken(await token, [issuer]);
    expect(found?.user).toMatchObject({
      name: 'system:serviceaccount:a:bot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
      extra: { 'authentication.kubernetes.io/pod-name': ['p'] },
    });
  });

  it.each([
    { name: 'the pod is gone', pods: [], uid: 'u1' },
    {
      name: 'the pod is another of that name',
      pods: [{ ...livePod, metadata: { ...livePod.metadata, uid: 'p2' } }],
      uid: 'u1',
    },
    { name: 'the account was made anew', pods: [livePod], uid: 'u2' },
  ])('refuses when $name', async ({ pods, uid }) => {
    await expect(authenticator(pods, uid).authenticateToken(await token, [issuer])).rejects.toThrow(
      'of the token',
    );
  });
});

describe('ImpersonatingAuthenticator', () => {
  const asked: string[] = [];
  const authorizer = {
    authorize: ({ info }: { info: RequestInfo }) => {
      asked.push(
        `${info.resource}${info.subresource ? `/${info.subresource}` : ''}:${info.namespace}:${info.name}`,
      );
      return { allowed: info.name !== 'system:masters' };
    },
  };
  const counted: string[] = [];
  const acting = new ImpersonatingAuthenticator(
    { authenticate: () => ({ name: 'root', groups: [] }) },
    {
      authorizer,
      clock,
      count: (mode, isAllowed) => void counted.push(`${mode}:${isAllowed}`),
    },
  );

  it('becomes the user after asking about the request and each part', async () => {
    asked.length = 0;
    const user = await acting.authenticate(
      input({
        'Impersonate-User': 'system:serviceaccount:a:bot',
        'impersonate-extra-scope': 'view',
      }),
    );
    expect(user).toEqual({
      name: 'system:serviceaccount:a:bot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
      extra: { scope: ['view'] },
    });
    expect(asked).toEqual(['serviceaccounts:a:bot', 'userextras/scope::view']);
    expect(counted).toEqual(['legacy:true']);
  });

  it('wants a name with everything else', async () => {
    await expect(acting.authenticate(input({ 'Impersonate-Group': 'a' }))).rejects.toThrow(
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
  });
});
