import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ConfigError,
  SystemClock,
  createMetrics,
  named,
  parseFlags,
  silentLogger,
} from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { CertificateAndKey, CertificateAuthority } from '@orrery/pki';
import { eventually, freeAddress } from '@orrery/testkit';
import { serveDelegated } from './serve-delegated.js';
import { ServingFlags, toServing } from './serving-flags.js';

const NOW = Date.now();

interface Asked {
  readonly spec: {
    readonly token?: string;
    readonly user?: string;
    readonly groups?: readonly string[];
    readonly nonResourceAttributes?: { readonly path: string; readonly verb: string };
  };
}

/** An API server that knows one token, lets `scraper` read the metrics and publishes whom it believes. */
class FakeApi {
  readonly asked: Asked[] = [];
  published: Record<string, string> | undefined;
  isDown = false;
  private server: Server | undefined;
  url = '';

  async start(): Promise<void> {
    const { host, port } = await freeAddress();
    this.url = `http://${host}:${port}`;
    this.server = createServer((incoming, response) => {
      void this.answer(incoming).then(({ code, body }) => {
        response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(port, host, resolve));
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private async answer(incoming: IncomingMessage): Promise<{ code: number; body: object }> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const path = incoming.url ?? '';
    if (this.isDown) return { code: 500, body: { kind: 'Status', code: 500, message: 'down' } };
    if (path.includes('configmaps'))
      return this.published
        ? { code: 200, body: { metadata: { resourceVersion: '1' }, data: this.published } }
        : { code: 404, body: { kind: 'Status', reason: 'NotFound', message: 'absent', code: 404 } };
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    this.asked.push(body);
    if (path.includes('tokenreviews')) {
      const authenticated = body.spec.token === 'good';
      const user = { username: 'scraper', groups: ['scrapers'] };
      return { code: 201, body: { ...body, status: { authenticated, user } } };
    }
    const { user, nonResourceAttributes } = body.spec;
    const allowed = user === 'scraper' && nonResourceAttributes?.path === '/metrics';
    return { code: 201, body: { ...body, status: { allowed } } };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'orrery-serving-'));
const stopping = new AbortController();
const api = new FakeApi();
let ca: CertificateAuthority;
let proxyCa: CertificateAuthority;

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  await api.start();
  ca = await createCa('clients', NOW);
  proxyCa = await createCa('proxies', NOW);
  file('ca.crt', ca.certPem);
  file(
    'kubeconfig',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: api.url } }],
      users: [{ name: 'c', user: {} }],
    }),
  );
});

afterAll(() => {
  stopping.abort();
  api.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Ask = (
  path: string,
  options?: RequestOptions,
) => Promise<readonly [code: number, text: string]>;

const morePages = (): Metrics => {
  const metrics = createMetrics();
  metrics.counter({ name: 'more_total', help: 'Of another page.' }).inc();
  return metrics;
};

const LEASE = { name: 'leaderElection', failure: undefined as string | undefined };
const lease = { name: LEASE.name, check: () => LEASE.failure };

async function serve(...argv: string[]): Promise<Ask> {
  const { host, port } = await freeAddress();
  const options = toServing(parseFlags(ServingFlags, argv, 'test'));
  const base = { clock: new SystemClock(), logger: silentLogger, metrics: createMetrics() };
  const pages = new Map([['/metrics/more', morePages()]]);
  const checks = { healthz: [lease, named('a-controller')], livez: [lease], readyz: [lease] };
  const parts = { ...base, name: 'test', address: host, port, options, pages, checks };
  await serveDelegated(parts, stopping.signal);
  return (path, more = {}) =>
    new Promise((resolve, reject) => {
      const where = { host, port, path, rejectUnauthorized: false, agent: false as const };
      const asked = request({ ...where, ...more }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve([response.statusCode ?? 0, Buffer.concat(chunks).toString()]);
        });
      });
      asked.on('error', reject).end();
    });
}

const bearer = (token: string): RequestOptions => ({
  headers: { authorization: `Bearer ${token}` },
});

const clientOf = async (
  authority: CertificateAuthority,
  commonName: string,
  organizations: readonly string[] = [],
): Promise<RequestOptions> => {
  const usages = ['clientAuth'] as const;
  const made: CertificateAndKey = await issueCertificate(authority, {
    commonName,
    organizations,
    usages,
    now: NOW,
  });
  return { cert: made.certPem, key: made.keyPem };
};

const DELEGATED = (): string[] => [
  `--authentication-kubeconfig=${join(folder, 'kubeconfig')}`,
  `--authorization-kubeconfig=${join(folder, 'kubeconfig')}`,
];

describe('the health port without kubeconfigs', () => {
  it('tells anybody how it is, and nobody the metrics', async () => {
    const ask = await serve();
    expect(await ask('/healthz')).toEqual([200, 'ok']);
    expect(await ask('/healthz', bearer('bad'))).toEqual([200, 'ok']);
    const [code, text] = await ask('/metrics');
    expect(code).toBe(403);
    expect(JSON.parse(text)).toMatchObject({
      kind: 'Status',
      reason: 'Forbidden',
      message: 'forbidden: User "system:anonymous" cannot get path "/metrics"',
    });
  });

  it('tells each check by its name, and at /metrics/slis how checks ended', async () => {
    const ask = await serve('--authorization-always-allow-paths=/healthz*,/metrics/slis');
    const text = ['[+]leaderElection ok', '[+]a-controller ok', 'healthz check passed', ''];
    expect(await ask('/healthz?verbose')).toEqual([200, text.join('\n')]);
    expect(await ask('/healthz/a-controller')).toEqual([200, 'ok']);
    expect((await ask('/healthz/nobody'))[0]).toBe(404);
    LEASE.failure = 'lost';
    expect((await ask('/healthz'))[0]).toBe(500);
    expect(await ask('/healthz?exclude=leaderElection')).toEqual([200, 'ok']);
    LEASE.failure = undefined;
    const lines = (await ask('/metrics/slis'))[1].split('\n');
    for (const line of [
      'kubernetes_healthcheck{name="leaderElection",type="healthz"} 0',
      'kubernetes_healthchecks_total{name="leaderElection",type="healthz",status="success"} 1',
      'kubernetes_healthchecks_total{name="leaderElection",type="healthz",status="error"} 1',
      'kubernetes_healthchecks_total{name="a-controller",type="healthz",status="success"} 3',
    ])
      expect(lines).toContain(line);
  });

  it('lets the privileged group in by its certificate, and nobody of another authority', async () => {
    const ask = await serve(`--client-ca-file=${join(folder, 'ca.crt')}`);
    const admin = await clientOf(ca, 'admin', ['system:masters']);
    expect((await ask('/metrics', admin))[0]).toBe(200);
    expect((await ask('/metrics', admin))[1]).not.toContain('more_total');
    expect((await ask('/metrics/more', admin))[1]).toContain('more_total 1');
    expect((await ask('/metrics/more'))[0]).toBe(403);
    expect((await ask('/nothing', admin))[0]).toBe(404);
    expect((await ask('/metrics', await clientOf(ca, 'x')))[0]).toBe(403);
    const stranger = await clientOf(proxyCa, 'admin', ['system:masters']);
    expect((await ask('/metrics', stranger))[0]).toBe(401);
  });

  it('serves the certificate of the flags, keeps one in --cert-dir, and speaks no plain HTTP', async () => {
    const kept = join(folder, 'kept');
    await serve(`--cert-dir=${kept}`);
    const ask = await serve(
      `--tls-cert-file=${join(kept, 'test.crt')}`,
      `--tls-private-key-file=${join(kept, 'test.key')}`,
      '--tls-min-version=VersionTLS13',
    );
    expect(await ask('/livez')).toEqual([200, 'ok']);
    await expect(ask('/livez', { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/);
    expect(() => toServing(parseFlags(ServingFlags, ['--tls-cert-file=x'], 'test'))).toThrow(
      ConfigError,
    );
    await expect(serve('--client-ca-file=/nothing')).rejects.toThrow(/--client-ca-file: .*ENOENT/);
  });
});

describe('the health port with kubeconfigs', () => {
  it('asks the API server who a token is of and what they may do, once', async () => {
    const ask = await serve(...DELEGATED(), '--authorization-always-allow-paths=/healthz,/live*');
    expect((await ask('/metrics', bearer('good')))[0]).toBe(200);
    expect(api.asked.at(-1)?.spec).toEqual({
      user: 'scraper',
      groups: ['scrapers', 'system:authenticated'],
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    });
    const { length } = api.asked;
    expect((await ask('/metrics', bearer('good')))[0]).toBe(200);
    expect(api.asked.length).toBe(length);
    expect((await ask('/metrics', bearer('bad')))[0]).toBe(401);
    expect((await ask('/healthz', bearer('bad')))[0]).toBe(401);
    expect((await ask('/readyz'))[0]).toBe(403);
    expect((await ask('/livez'))[0]).toBe(200);
  });

  it('says so when the API server cannot be asked', async () => {
    const ask = await serve(...DELEGATED());
    api.isDown = true;
    expect((await ask('/metrics', bearer('good')))[0]).toBe(500);
    expect((await ask('/metrics'))[0]).toBe(500);
    api.isDown = false;
    expect((await ask('/metrics', bearer('good')))[0]).toBe(200);
  });

  it('believes whom the API server publishes: clients, and proxies that say who asks', async () => {
    api.published = {
      'client-ca-file': ca.certPem,
      'requestheader-client-ca-file': proxyCa.certPem,
      'requestheader-allowed-names': '["front"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    };
    const ask = await serve(...DELEGATED());
    const front = await clientOf(proxyCa, 'front');
    const headers = { 'x-remote-user': 'scraper', 'x-remote-extra-a': 'b' };
    await eventually(
      async () => {
        expect((await ask('/metrics', { ...front, headers }))[0]).toBe(200);
      },
      { timeoutMs: 30_000 },
    );
    expect(api.asked.at(-1)?.spec).toMatchObject({ user: 'scraper', extra: { a: ['b'] } });
    const other = await clientOf(proxyCa, 'other');
    expect((await ask('/metrics', { ...other, headers }))[0]).toBe(401);
    expect((await ask('/metrics', await clientOf(ca, 'scraper')))[0]).toBe(200);
  });

  it('looks again for what could not be read, and ends when it may not be missing', async () => {
    api.published = undefined;
    const ask = await serve(...DELEGATED());
    const admin = await clientOf(ca, 'admin', ['system:masters']);
    expect((await ask('/metrics', admin))[0]).toBe(403);
    api.published = { 'client-ca-file': ca.certPem };
    await eventually(
      async () => {
        expect((await ask('/metrics', admin))[0]).toBe(200);
      },
      { timeoutMs: 30_000 },
    );
    api.published = undefined;
    const strict = [...DELEGATED(), '--authentication-tolerate-lookup-failure=false'];
    await expect(serve(...strict)).rejects.toThrow('absent');
  });
});
