// The HTTPS server as it answers strangers and nonsense; plain HTTP here, who asks comes from a token.
import { request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeClient } from '@orrery/client';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { fuzzBudget, tellTried } from '@orrery/testkit';
import { parseOptions } from '../config/kubelet-options.js';
import { KubeletModule } from '../kubelet.module.js';
import { Kubelet } from '../kubelet.js';
import { podOf } from '../../test/builders.js';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import { countRequests } from './count-requests.js';
import { KubeletAuth } from './kubelet-auth.js';
import { StreamHandler } from './stream-handler.js';

const HOST = '127.235.9.3';
const ROUTES = [
  ['GET', '/pods'],
  ['GET', '/runningpods'],
  ['GET', '/configz'],
  ['GET', '/healthz'],
  ['GET', '/metrics'],
  ['GET', '/metrics/resource'],
  ['GET', '/metrics/cadvisor'],
  ['GET', '/metrics/probes'],
  ['GET', '/metrics/slis'],
  ['GET', '/healthz/syncloop'],
  ['GET', '/stats/summary'],
  ['GET', '/logs'],
  ['GET', '/logs/'],
  ['GET', '/logs/kubelet.log'],
  ['GET', '/containerLogs/default/p/c'],
  ['POST', '/run/default/p/c?cmd=true'],
  ['POST', '/checkpoint/default/p/c'],
] as const;

/** An API server that knows one token, `admin`, and lets `reader` do nothing. */
const client = {
  resource: () => ({
    create: (object: { kind: string; spec: { token?: string; user?: string } }) =>
      Promise.resolve(
        object.kind === 'TokenReview'
          ? {
              status: {
                authenticated: object.spec.token !== 'stranger',
                user: { username: object.spec.token },
              },
            }
          : { status: { allowed: object.spec.user === 'admin' } },
      ),
  }),
  close: () => Promise.resolve(),
} as unknown as KubeClient;

describe('the server of the kubelet', () => {
  let root = '';
  let port = 0;
  let nest: NestFastifyApplication;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'kubelet-server-'));
    const clock = new SystemClock();
    const runtime = new InMemoryRuntime(() => clock.now());
    const options = parseOptions([
      `--root-dir=${root}`,
      `--node-ip=${HOST}`,
      '--hostname-override=n1',
    ]);
    const logger = silentLogger;
    const kubelet = new Kubelet(options, {
      client,
      runtime,
      clock,
      random: new SystemRandom(),
      logger,
    });
    const pod = podOf('p');
    kubelet.directory.put(pod);
    const auth = new KubeletAuth(client, 'n1', clock);
    nest = await NestFactory.create<NestFastifyApplication>(
      KubeletModule.with(kubelet, auth),
      new FastifyAdapter({ forceCloseConnections: true }),
      { logger: false, abortOnError: false },
    );
    countRequests(nest, kubelet);
    await nest.init();
    new StreamHandler(kubelet, auth).attach(nest.getHttpServer() as Server);
    await nest.listen(0, HOST);
    port = ((nest.getHttpServer() as Server).address() as AddressInfo).port;
  });

  afterAll(async () => {
    await nest.close();
    await rm(root, { recursive: true });
  });

  const ask = (
    method: string,
    path: string,
    token?: string,
  ): Promise<{ code: number; body: string }> =>
    new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const outgoing = request(
        { host: HOST, port, method, path, headers, agent: false },
        (answer: IncomingMessage) => {
          let body = '';
          answer.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          answer.on('end', () => {
            resolve({ code: answer.statusCode ?? 0, body });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });

  it.each(ROUTES)('answers nobody unknown or unauthorized: %s %s', async (method, path) => {
    const codes = [undefined, 'stranger', 'reader'].map(
      async (token) => (await ask(method, path, token)).code,
    );
    expect(await Promise.all(codes)).toEqual([401, 401, 403]);
  });

  it('tells of each health check, and counts how they end', async () => {
    // This kubelet serves, but does not run.
    expect(await ask('GET', '/healthz', 'admin')).toMatchObject({
      code: 500,
      body: '[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n',
    });
    expect(await ask('GET', '/healthz/ping', 'admin')).toMatchObject({ code: 200, body: 'ok' });
    expect(await ask('GET', '/healthz/syncloop', 'admin')).toMatchObject({
      code: 500,
      body: 'internal server error: sync Loop took longer than expected\n',
    });
    expect((await ask('GET', '/healthz/other', 'admin')).code).toBe(404);
    const { body } = await ask('GET', '/metrics/slis', 'admin');
    expect(body).toMatch(/^kubernetes_healthcheck\{name="syncloop",type="healthz"\} 0$/m);
    expect(body).toMatch(
      /^kubernetes_healthchecks_total\{name="ping",type="healthz",status="success"\} [1-9]/m,
    );
    const metrics = await ask('GET', '/metrics', 'admin');
    expect(metrics.body).toMatch(/^kubernetes_feature_enabled\{name="KubeletPSI",stage=""\} 1$/m);
  });

  it('counts requests by the first part of their path', async () => {
    await ask('GET', '/stats/summary?only_cpu_and_memory=true', 'admin');
    await ask('GET', '/nothing/here', 'admin');
    const { code, body } = await ask('GET', '/metrics', 'admin');
    expect(code).toBe(200);
    const labels = (path: string): string =>
      `{method="GET",path="${path}",server_type="readwrite",long_running="false"}`;
    expect(body).toMatch(new RegExp(`^kubelet_http_requests_total${labels('stats')} [1-9]`, 'm'));
    expect(body).toMatch(new RegExp(`^kubelet_http_requests_total${labels('other')} [1-9]`, 'm'));
    expect(body).toContain(`kubelet_http_inflight_requests${labels('metrics')} 1`);
    expect(body).toContain(`kubelet_http_inflight_requests${labels('stats')} 0`);
    expect(body).toContain(`kubelet_http_requests_duration_seconds_count${labels('stats')}`);
  });

  it.each([
    { path: '/pods', token: 'stranger', want: [401, 'Unauthorized'] },
    {
      path: '/pods',
      token: 'reader',
      want: [
        403,
        'Forbidden (user=reader, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
      ],
    },
    {
      path: '/containerLogs/default/p/c',
      token: 'reader',
      want: [403, 'Forbidden (user=reader, verb=get, resource=nodes, subresource(s)=[proxy])\n'],
    },
  ])('refuses $token at $path in upstream words', async ({ path, token, want }) => {
    const { code, body } = await ask('GET', path, token);
    expect([code, body]).toEqual(want);
  });

  it('writes no checkpoint, whoever asks (CVE-2025-0426)', async () => {
    const before = await readdir(root, { recursive: true });
    for (const token of [undefined, 'reader', 'admin'])
      for (let i = 0; i < 20; i++) await ask('POST', '/checkpoint/default/p/c', token);
    expect(await ask('POST', '/checkpoint/default/p/c', 'admin')).toMatchObject({
      code: 501,
      body: expect.stringContaining('method CheckpointContainer not implemented'),
    });
    expect(await readdir(root, { recursive: true })).toEqual(before);
  });

  it('asks anew for each upgrade, before it looks at the pod (CVE-2018-1002105)', async () => {
    const upgrade = (token: string): Promise<string> =>
      raw(
        `GET /exec/default/p/c?command=id HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nGET /pods HTTP/1.1\r\nHost: k\r\n\r\n`,
      );
    expect(await upgrade('reader')).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\nForbidden \(user=reader, verb=get, resource=nodes, subresource\(s\)=\[proxy\]\)\n$/,
    );
    const refused = await upgrade('admin');
    expect(refused).toMatch(/^HTTP\/1\.1 500 Internal Server Error/);
    expect(refused.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  const raw = (bytes: string | Buffer): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, HOST);
      let got = '';
      socket.setTimeout(2_000, () => socket.destroy());
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve(got);
      });
      socket.end(bytes);
    });

  it('goes on after any request, with and without credentials', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        '..',
        '%2e%2e',
        '%00',
        'default',
        'p',
        'c',
        'containerLogs',
        'exec',
        'attach',
        'portForward',
        'run',
        'logs',
        'metrics',
        'stats',
        'checkpoint',
        '__proto__',
        'constructor',
      ),
      fc.string({ maxLength: 40 }),
    );
    const query = fc.constantFrom(
      '',
      '?tailLines=-1',
      '?sinceTime=x',
      '?limitBytes=0',
      '?follow=true&tailLines=0',
      '?port=99999999',
      '?command=',
      '?stream=Nowhere',
      '?tailLines=1e9',
    );
    const wanted = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
      path: fc
        .array(word, { maxLength: 6 })
        .map((words) => `/${words.map((one) => encodeURI(one).replaceAll('#', '%23')).join('/')}`),
      query,
      token: fc.constantFrom(undefined, 'admin', 'reader'),
    });
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(wanted, async ({ method, path, query: tail, token }) => {
        tried += 1;
        const { code, body } = await ask(method, `${path}${tail}`, token);
        expect(code).toBeGreaterThanOrEqual(200);
        expect(body).not.toContain('at Object.');
        const open = token === 'admin' || [400, 401, 403, 404, 414].includes(code);
        expect(open).toBe(true);
      }),
      fuzzBudget(150, 0.8),
    );
    tellTried('requests at the kubelet', tried);
    expect((await ask('GET', '/pods', 'admin')).code).toBe(200);
  }, 3_600_000);

  it('goes on after any bytes', async () => {
    const start = fc.constantFrom(
      '',
      'GET / HTTP/1.1\r\n',
      'GET /exec/a/b/c HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
      'POST /run/a/b/c HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 400 }), async (head, bytes) => {
        tried += 1;
        await raw(Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n\r\n')]));
      }),
      fuzzBudget(50, 0.2),
    );
    tellTried('bytes at the kubelet', tried);
    expect((await ask('GET', '/pods', 'admin')).code).toBe(200);
  }, 3_600_000);

  it('refuses a request with two lengths', async () => {
    const answer = await raw(
      'POST /run/a/b/c HTTP/1.1\r\nHost: k\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});
