import { mkdtempSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
import { HookServer } from './hook-server.js';
import type { HookRequest } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-aggregation-'));
const SERVICE_IP = '127.218.130.27';
const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const API = '/apis/stars.example.com/v1';

let api: Replica;
let extension: HookServer;
let refuseUpgrades = false;

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'stars.example.com/v1',
  resources: [
    {
      name: 'stars',
      singularName: 'star',
      namespaced: true,
      kind: 'Star',
      verbs: ['get', 'list', 'watch'],
      shortNames: ['st'],
    },
    { name: 'stars/status', singularName: '', namespaced: true, kind: 'Star', verbs: ['get'] },
  ],
};

const openApi = {
  openapi: '3.0.0',
  info: { title: 'stars', version: '1' },
  paths: { [`${API}/stars`]: { get: { responses: {} } } },
};

/** The extension API server. */
function serve(
  { path, headers, method }: HookRequest,
  response: Parameters<HookServer['reply']>[1],
): unknown {
  const { pathname, searchParams } = new URL(path, 'https://x');
  if (pathname === API) return resources;
  if (pathname === '/openapi/v3/apis/stars.example.com/v1') return openApi;
  if (pathname === '/openapi/v2')
    return {
      swagger: '2.0',
      info: { title: 'stars', version: '1' },
      paths: { [`${API}/stars`]: { get: {} }, '/evil': { get: {} } },
      definitions: { 'com.example.Star': { type: 'object' } },
    };
  if (searchParams.get('watch') === 'true') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'sun' } } })}\n`);
    return undefined;
  }
  if (pathname === `${API}/redirect`) {
    response.writeHead(302, { location: 'https://127.0.0.1/steal' });
    response.end();
    return undefined;
  }
  return { kind: 'Star', apiVersion: 'stars.example.com/v1', method, headers };
}

const register = (more: Json = {}): Promise<Answer> =>
  api.post(SERVICES, {
    metadata: { name: 'v1.stars.example.com' },
    spec: {
      group: 'stars.example.com',
      version: 'v1',
      groupPriorityMinimum: 500,
      versionPriority: 10,
      caBundle: extension.caBundle,
      service: { name: 'stars', namespace: 'default', port: extension.port },
      ...more,
    },
  });

const conditionOf = ({ json }: Answer): Json | undefined =>
  (json['status'] as { conditions?: Json[] } | undefined)?.conditions?.[0];

const untilReason = (reason: string): Promise<void> =>
  eventually(
    async () => {
      const answer = await api.ask(`${SERVICES}/v1.stars.example.com`);
      expect(conditionOf(answer)).toMatchObject({ type: 'Available', reason });
    },
    { timeoutMs: 10_000 },
  );

beforeAll(async () => {
  const now = new SystemClock().now();
  const frontCa = await createCa('front-proxy-ca', now);
  const front = await issueCertificate(frontCa, {
    commonName: 'front-proxy-client',
    usages: ['clientAuth'],
    now,
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  extension = await HookServer.start(SERVICE_IP, ['stars.default.svc']);
  extension.reply = serve;
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      '--cluster-cidr=127.240.64.0/18',
      `--requestheader-client-ca-file=${file('front-ca.crt', frontCa.certPem)}`,
      `--proxy-client-cert-file=${file('front.crt', front.certPem)}`,
      `--proxy-client-key-file=${file('front.key', front.keyPem)}`,
    ],
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  await extension.close();
});

describe('APIServices of this server itself', () => {
  it('are there from the start, and come and go with custom resources', async () => {
    const table = await api.ask(SERVICES, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    const rows = (table.json['rows'] as { cells: string[] }[]).map(({ cells }) =>
      cells.slice(0, 3),
    );
    expect(rows).toContainEqual(['v1.', 'Local', 'True']);
    expect(rows).toContainEqual(['v1.apps', 'Local', 'True']);
    expect(rows.some(([name]) => name === 'v1.apiregistration.k8s.io')).toBe(false);
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const schema = { openAPIV3Schema: { type: 'object' } };
    await api.post(definitions, {
      metadata: { name: 'moons.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Namespaced',
        names: { plural: 'moons', kind: 'Moon' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    const statusOf = async (): Promise<number> =>
      (await api.ask(`${SERVICES}/v1.example.org`)).status;
    await eventually(async () => {
      expect(await statusOf()).toBe(200);
    });
    await api.ask(`${definitions}/moons.example.org`, { method: 'DELETE' });
    await eventually(async () => {
      expect(await statusOf()).toBe(404);
    });
  });

  it('are validated in upstream words', async () => {
    const refused = await register({ groupPriorityMinimum: 0, insecureSkipTLSVerify: true });
    expect(refused.json['message']).toBe(
      'APIService.apiregistration.k8s.io "v1.stars.example.com" is invalid: [spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000, spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present]',
    );
  });

  it('tell extension servers whom to believe', async () => {
    const map = await api.ask(
      '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
    );
    expect(map.json['data']).toMatchObject({
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-client-ca-file': expect.stringContaining('BEGIN CERTIFICATE'),
    });
  });
});

describe('an extension API server', () => {
  it('is available once its Service, port, endpoints and discovery are there', async () => {
    await register();
    await untilReason('ServiceNotFound');
    const unavailable = await api.ask(`${API}/stars`);
    expect([unavailable.status, unavailable.text]).toEqual([503, 'service unavailable\n']);
    await api.post('/api/v1/namespaces/default/services', {
      metadata: { name: 'stars' },
      spec: { clusterIP: SERVICE_IP, ports: [{ port: extension.port }] },
    });
    await untilReason('EndpointsNotFound');
    await api.post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: 'stars-1', labels: { 'kubernetes.io/service-name': 'stars' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.240.65.9'], conditions: { ready: true } }],
      ports: [{ name: '', port: extension.port }],
    });
    await untilReason('Passed');
  });

  it('learns who asks from front-proxy headers, and nothing else that the client claims', async () => {
    extension.seen.length = 0;
    const answer = await api.ask(`${API}/namespaces/default/stars/sun?a=b`, {
      method: 'PUT',
      body: { metadata: { name: 'sun' } },
      headers: {
        authorization: 'Bearer secret',
        'x-remote-user': 'mallory',
        'x-remote-group': 'system:masters',
      },
    });
    expect([answer.status, answer.json['method']]).toEqual([200, 'PUT']);
    const [seen] = extension.seen;
    expect(seen).toMatchObject({
      path: `${API}/namespaces/default/stars/sun?a=b`,
      peer: 'front-proxy-client',
      json: { metadata: { name: 'sun' } },
    });
    expect(seen?.headers).toMatchObject({
      'x-remote-user': 'system:admin',
      'x-remote-group': 'system:masters, system:authenticated',
    });
    expect(seen?.headers.authorization).toBeUndefined();
  });

  it('may stream a watch', async () => {
    const watch = await api.watch(`${API}/stars?watch=true`);
    await eventually(() => {
      expect(watch.events()).toHaveLength(1);
    });
    watch.response.destroy();
  });

  it('may not redirect the client: CVE-2022-3172', async () => {
    const answer = await api.ask(`${API}/redirect`);
    expect([answer.status, answer.headers.location, answer.text]).toEqual([
      502,
      undefined,
      'the backend attempted to redirect this request, which is not permitted\n',
    ]);
  });

  it('may switch protocols', async () => {
    extension.onUpgrade((_request, socket) => {
      if (refuseUpgrades) {
        socket.write('HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno');
        return;
      }
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n',
      );
      socket.pipe(socket);
    });
    const echoed = await new Promise<string>((resolve, reject) => {
      const asking = httpsRequest(new URL(`${API}/stars/sun/echo`, api.address), {
        headers: { connection: 'Upgrade', upgrade: 'echo' },
        rejectUnauthorized: false,
      });
      asking.once('upgrade', (_answer, socket) => {
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString());
        });
        socket.write('hello');
      });
      asking.once('response', ({ statusCode }) => {
        reject(new Error(String(statusCode)));
      });
      asking.once('error', reject);
      asking.end();
    });
    expect(echoed).toBe('hello');
  });

  it('that refuses to switch protocols leaves no connection behind: CVE-2018-1002105', async () => {
    const socket = connect({
      host: api.host,
      port: Number(new URL(api.address).port),
      rejectUnauthorized: false,
    });
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.once('close', () => {
        resolve(text);
      });
    });
    extension.seen.length = 0;
    const ask = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: other\r\n\r\n`;
    // The extension answers an upgrade that it does not know with 400; a second request follows on the same connection.
    refuseUpgrades = true;
    socket.write(ask(`${API}/stars/sun/refused`) + ask(`${API}/namespaces/kube-system/stars`));
    const text = await answered;
    refuseUpgrades = false;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
    expect(text).not.toContain('101 Switching');
    expect(extension.seen.some(({ path }) => path.includes('kube-system'))).toBe(false);
  });

  it('appears in discovery, legacy and aggregated', async () => {
    const groups = (await api.ask('/apis')).json['groups'] as { name: string }[];
    expect(groups.map(({ name }) => name)).toContain('stars.example.com');
    expect((await api.ask('/apis/stars.example.com')).json).toMatchObject({
      kind: 'APIGroup',
      preferredVersion: { groupVersion: 'stars.example.com/v1' },
    });
    expect((await api.ask(API)).json).toEqual(resources);
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { json } = await api.ask('/apis', { headers: { accept } });
    const items = json['items'] as { metadata: { name: string } }[];
    expect(items.find(({ metadata }) => metadata.name === 'stars.example.com')).toMatchObject({
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'stars',
              scope: 'Namespaced',
              shortNames: ['st'],
              responseKind: { group: 'stars.example.com', version: 'v1', kind: 'Star' },
              subresources: [{ subresource: 'status' }],
            },
          ],
        },
      ],
    });
  });

  it('appears in OpenAPI, no further than its own paths', async () => {
    const index = (await api.ask('/openapi/v3')).json['paths'] as Record<string, Json>;
    const url = index['apis/stars.example.com/v1']?.['serverRelativeURL'];
    expect((await api.ask(String(url))).json).toEqual(openApi);
    const v2 = (await api.ask('/openapi/v2')).json as Record<string, Json>;
    expect(Object.keys(v2['paths'] ?? {})).toContain(`${API}/stars`);
    expect(Object.keys(v2['paths'] ?? {})).not.toContain('/evil');
    expect(Object.keys(v2['definitions'] ?? {})).toContain('com.example.Star');
  });

  const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
  const listing = (text: string): string => `{"kind":"APIResourceList","resources":${text}}`;
  it.each([
    { name: 'nulls', list: listing('[null]'), openApi: '{"paths":null,"definitions":[null]}' },
    { name: 'numbers', list: listing('[{"name":7}]'), openApi: '{"paths":7,"definitions":7}' },
    { name: 'texts', list: listing('[{"name":"a","verbs":"x"}]'), openApi: '{"paths":"abc"}' },
    { name: 'a list', list: '[1]', openApi: '[1]' },
    { name: 'no JSON', list: '{', openApi: '{"paths":{}' },
    { name: 'depths', list: deep, openApi: deep },
  ])('that answers $name takes nothing from discovery and OpenAPI but itself', async (one) => {
    extension.reply = ({ path }, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(path.startsWith('/openapi/') ? one.openApi : one.list);
      return undefined;
    };
    // What was read before is believed until the APIServices change.
    const path = `${SERVICES}/v1.stars.example.com`;
    const stored = (await api.ask(path)).json as { spec: { versionPriority: number } };
    const spec = { versionPriority: stored.spec.versionPriority + 1 };
    await api.patch(path, 'merge-patch+json', { spec });
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    await eventually(async () => {
      const { status, json } = await api.ask('/apis', { headers: { accept } });
      const items = json['items'] as { metadata: { name: string }; versions: Json[] }[];
      const found = items.find(({ metadata }) => metadata.name === 'stars.example.com');
      expect([status, found?.versions]).toEqual([200, [{ version: 'v1', freshness: 'Stale' }]]);
    });
    const v2 = await api.ask('/openapi/v2');
    expect([v2.status, Object.keys(v2.json['paths'] as Json)]).toEqual([
      200,
      expect.arrayContaining(['/api/v1/pods']),
    ]);
    expect((await api.ask('/openapi/v3')).status).toBe(200);
  });
});
