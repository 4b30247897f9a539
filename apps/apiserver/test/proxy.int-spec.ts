import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

/** A pod's address: the cluster's pods live in this block of the loopback network. */
const POD_IP = '127.219.65.2';
const NAMESPACE = '/api/v1/namespaces/proxy';
/** Pods and namespaces may be called as the subresource is. */
const POD = `${NAMESPACE}/pods/proxy`;

describe('proxies of pods and services', () => {
  let etcd: TestEtcd;
  let api: Replica;
  let backend: Server;
  let port = 0;
  let asked: IncomingMessage[] = [];

  const pages: Readonly<Record<string, () => { headers: Record<string, string>; body: Buffer }>> = {
    '/page': () => ({
      headers: { 'content-type': 'text/html; charset=utf-8', 'access-control-allow-origin': '*' },
      body: Buffer.from('<a href="/rewriteme">test</a>'),
    }),
    '/packed': () => ({
      headers: { 'content-type': 'text/html', 'content-encoding': 'gzip' },
      body: gzipSync('<a href="/rewriteme">test</a>'),
    }),
    '/text': () => ({
      headers: { 'content-type': 'text/plain' },
      body: Buffer.from('<a href="/rewriteme">test</a>'),
    }),
    '/moved': () => ({ headers: { location: '/elsewhere' }, body: Buffer.alloc(0) }),
  };

  beforeAll(async () => {
    backend = createServer((request, response) => {
      asked.push(request);
      const { headers, body } = pages[(request.url ?? '').split('?')[0] ?? '']?.() ?? {
        headers: {},
        body: Buffer.from(`${request.method} ${request.url}`),
      };
      response.writeHead(headers['location'] ? 302 : 200, {
        ...headers,
        'content-length': body.length,
      });
      response.end(body);
    }).listen(0, POD_IP);
    await once(backend, 'listening');
    ({ port } = backend.address() as AddressInfo);
    etcd = await startEtcd();
    api = await startReplica({
      etcd: etcd.endpoints,
      keyspace: '/proxy/',
      flags: ['--cluster-cidr=127.219.64.0/18', '--disable-admission-plugins=ServiceAccount'],
    });
    await api.post('/api/v1/namespaces', { metadata: { name: 'proxy' } });
    await api.post(`${NAMESPACE}/pods`, {
      metadata: { name: 'proxy' },
      spec: {
        containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: port }] }],
      },
    });
    await api.patch(`${POD}/status`, 'merge-patch+json', {
      status: { podIP: POD_IP, podIPs: [{ ip: POD_IP }] },
    });
    const ports = [{ name: 'web', port: 80, targetPort: port }];
    await api.post(`${NAMESPACE}/services`, { metadata: { name: 's' }, spec: { ports } });
    await api.post(`${NAMESPACE}/services`, { metadata: { name: 'foreign' }, spec: { ports } });
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await etcd.stop();
    backend.close();
  });

  const endpoints = (name: string, targetRef?: unknown): Promise<Answer> =>
    api.post(`${NAMESPACE}/endpoints`, {
      metadata: { name },
      subsets: [
        {
          addresses: [{ ip: POD_IP, ...(targetRef ? { targetRef } : {}) }],
          ports: [{ name: 'web', port }],
        },
      ],
    });

  it('passes method, path, query and headers on, and whose request it was', async () => {
    asked = [];
    const path = `${POD}/proxy/a//b/?x&y=%20`;
    const answer = await api.ask(path, {
      method: 'PUT',
      body: 'b',
      headers: { 'x-forwarded-for': '10.9.9.9', 'x-mine': '1', authorization: 'Basic c2VjcmV0' },
    });
    expect(answer.text).toBe('PUT /a//b/?x&y=%20');
    const headers: IncomingMessage['headers'] = asked[0]?.headers ?? {};
    expect(headers).toMatchObject({
      host: new URL(api.address).host,
      'x-mine': '1',
      'x-forwarded-uri': `${POD}/proxy/a//b/`,
    });
    expect(headers['x-forwarded-for']).toMatch(/^10\.9\.9\.9, 127\./);
    expect(headers.authorization).toBeUndefined();
  });

  it('sends who asks for the root without a slash to the one with it', async () => {
    const answer = await api.ask(`${POD}/proxy?a=b`);
    expect([answer.status, answer.headers.location]).toEqual([301, `${POD}/proxy/?a=b`]);
    expect((await api.ask(`${POD}/proxy`, { method: 'POST' })).text).toBe('POST /');
  });

  it.each(['OPTIONS', 'DELETE', 'PATCH'])('passes %s on', async (method) => {
    expect((await api.ask(`${POD}/proxy?a=b`, { method })).text).toBe(`${method} /?a=b`);
  });

  it('leads the links of HTML pages and redirects through the proxy', async () => {
    const page = await api.ask(`${POD}:${port}/proxy/page`);
    expect(page.text).toBe(`<a href="${POD}:${port}/proxy/rewriteme">test</a>`);
    expect(page.headers['access-control-allow-origin']).toBeUndefined();
    const packed = await api.ask(`${POD}/proxy/packed`);
    expect(gunzipSync(packed.bytes).toString()).toBe(`<a href="${POD}/proxy/rewriteme">test</a>`);
    expect((await api.ask(`${POD}/proxy/text`)).text).toBe('<a href="/rewriteme">test</a>');
    const moved = await api.ask(`${POD}/proxy/moved`);
    expect([moved.status, moved.headers.location]).toEqual([302, `${POD}/proxy/elsewhere`]);
    const head = await api.ask(`${POD}/proxy/page`, { method: 'HEAD' });
    expect(head.headers['content-length']).toBe('29');
    const own = {
      'cache-control': 'no-cache, private',
      'audit-id': expect.any(String) as unknown as string,
    };
    for (const { headers } of [page, moved, await api.ask(`${POD}/proxy`)])
      expect(headers).toMatchObject(own);
  });

  it('finds the pods of a service by port name and number', async () => {
    const targetRef = { kind: 'Pod', namespace: 'proxy', name: 'proxy' };
    expect((await endpoints('s', targetRef)).status).toBe(201);
    for (const id of ['s:web', 'http:s:web', 's:80'])
      expect((await api.ask(`${NAMESPACE}/services/${id}/proxy/x`)).text).toBe('GET /x');
  });

  it('goes to no endpoint that is not a pod of the namespace', async () => {
    await endpoints('foreign');
    expect((await api.ask(`${NAMESPACE}/services/foreign:web/proxy/`)).json).toMatchObject({
      code: 503,
      message: 'no endpoints available for service "foreign:web"',
    });
  });

  it.each([
    ['pods/proxy:web:x:y', 400, 'invalid pod request "proxy:web:x:y"'],
    ['pods/ftp:proxy:21', 400, 'invalid pod request "ftp:proxy:21"'],
    ['services/s:81', 503, 'no service port 81 found for service "s"'],
    ['services/s', 503, 'no endpoints available for service "s"'],
    ['services/:s:', 503, 'no endpoints available for service ":s:"'],
  ])('refuses %s by %i', async (id, code, message) => {
    expect((await api.ask(`${NAMESPACE}/${id}/proxy/`)).json).toMatchObject({ code, message });
  });

  it('says that a pod does not speak TLS', async () => {
    expect((await api.ask(`${NAMESPACE}/pods/https:proxy:${port}/proxy/`)).json).toMatchObject({
      code: 503,
      message: 'error trying to reach service: http: server gave HTTP response to HTTPS client',
    });
  });

  it('says that a pod does not listen', async () => {
    const { json } = await api.ask(`${POD}:1/proxy/`);
    expect(json).toMatchObject({ code: 503, reason: 'ServiceUnavailable' });
    expect(json['message']).toMatch(
      /^error trying to reach service: dial tcp 127\.219\.65\.2:\d+: connect: connection refused$/,
    );
  });
});
