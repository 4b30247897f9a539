import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { ConfigError, SystemClock, silentLogger } from '@orrery/component';
import { noActions } from '@orrery/controller';
import type { ActionReport } from '@orrery/controller';
import { eventually } from '@orrery/testkit';
import { KubeProxyConfiguration } from '../config/kube-proxy-configuration.js';
import { ProxyMetrics } from '../metrics/proxy-metrics.js';
import { HealthCheckNodePorts } from './health-check-node-ports.js';
import { HealthServers, bindTo } from './health.js';

const NODE = '127.234.0.11';
const clock = new SystemClock();
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const get = async (port: number, path: string): Promise<{ code: number; body: string }> => {
  const response = await fetch(`http://${NODE}:${port}${path}`);
  return { code: response.status, body: await response.text() };
};

describe('health and metrics of kube-proxy', () => {
  const state = { waiting: 0, eligible: true };
  const start = async (config = new KubeProxyConfiguration()): Promise<void> => {
    const metrics = new ProxyMetrics(clock, () => Promise.resolve([]));
    const health = new HealthServers(
      config,
      {
        mode: () => 'ipvs',
        waitingMs: () => state.waiting,
        lastUpdated: () => 1_700_000_000_000,
        isNodeEligible: () => state.eligible,
        families: () => ['IPv4'],
        metrics,
        clock,
      },
      silentLogger,
    );
    cleanups.push(() => {
      health.close();
    });
    metrics.programmed(0.002, true);
    await health.start(NODE);
  };

  it('answers on the ports of the node: /healthz, /livez, /proxyMode, /metrics', async () => {
    await start();
    expect(await get(10_249, '/proxyMode')).toEqual({ code: 200, body: 'ipvs' });
    expect(await get(10_249, '/healthz')).toEqual({ code: 200, body: 'ok' });
    expect((await get(10_249, '/metrics/slis')).body).toMatch(
      /^kubernetes_healthcheck\{name="ping",type="healthz"\} 1$/m,
    );
    expect((await get(10_249, '/metrics')).body).toContain('kubernetes_feature_enabled{');
    const { code, body } = await get(10_256, '/healthz');
    expect([code, JSON.parse(body)]).toMatchObject([
      200,
      {
        nodeEligible: true,
        healthy: true,
        status: { IPv4: { lastUpdated: '2023-11-14T22:13:20.000Z', healthy: true } },
      },
    ]);
    // As upstream's, the time at the top is the present one while all is well.
    const { lastUpdated, currentTime } = JSON.parse(body) as Record<string, string>;
    expect(lastUpdated).toBe(currentTime);
    state.eligible = false;
    expect((await get(10_256, '/healthz')).code).toBe(503);
    expect((await get(10_256, '/livez')).code).toBe(200);
    state.eligible = true;
    state.waiting = 61_000;
    const late = await get(10_256, '/livez');
    expect([late.code, JSON.parse(late.body)]).toMatchObject([
      503,
      {
        lastUpdated: '2023-11-14T22:13:20.000Z',
        healthy: false,
        status: { IPv4: { healthy: false } },
      },
    ]);
    expect(late.body).not.toContain('nodeEligible');
    state.waiting = 0;
    const text = (await get(10_249, '/metrics')).body;
    for (const line of [
      'kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1',
      'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1',
      'kubeproxy_proxy_healthz_total{code="503"} 1',
      'kubeproxy_proxy_livez_total{code="200"} 1',
      '# TYPE orrery_dataplane_endpoint_dial_duration_seconds histogram',
    ])
      expect(text).toContain(line);
  });

  it('a taken port is said, and ends kube-proxy with bindAddressHardFail', async () => {
    const taken = createServer().listen(10_256, NODE);
    await once(taken, 'listening');
    cleanups.push(() => taken.close());
    await start();
    cleanups.pop()?.();
    const hard = Object.assign(new KubeProxyConfiguration(), { bindAddressHardFail: true });
    await expect(start(hard)).rejects.toThrow(ConfigError);
  });

  it.each([
    ['', '10.0.0.1:10256'],
    ['0.0.0.0:1234', '10.0.0.1:1234'],
    [':1234', '10.0.0.1:1234'],
    ['10.9.9.9', '10.9.9.9:10256'],
    ['[::]:1234', '10.0.0.1:1234'],
    ['127.0.0.1:10249', '127.0.0.1:10249'],
  ])('healthzBindAddress %p binds to %s', (configured, want) => {
    const { host, port } = bindTo(configured, '10.0.0.1', 10_256);
    expect(`${host}:${port}`).toBe(want);
  });
});

describe(HealthCheckNodePorts.name, () => {
  it('answers whether this node has endpoints, and stops with the service', async () => {
    let isProxyHealthy = true;
    const ports = new HealthCheckNodePorts({
      isProxyHealthy: () => isProxyHealthy,
      nodeName: 'n1',
      events: noActions,
      logger: silentLogger,
    });
    cleanups.push(() => {
      ports.close();
    });
    const set = (localEndpoints: number): void => {
      ports.set('default/web', { port: 30_999, addresses: [NODE], localEndpoints });
    };
    set(2);
    const answer = await eventually(() => get(30_999, '/'));
    // As upstream's text is indented (k8s pkg/proxy/healthcheck/service_health.go:hcHandler).
    const text = [
      '{',
      '\t"service": {',
      '\t\t"namespace": "default",',
      '\t\t"name": "web"',
      '\t},',
      '\t"localEndpoints": 2,',
      '\t"serviceProxyHealthy": true',
      '}',
    ].join('\n');
    expect([answer.code, answer.body]).toEqual([200, text]);
    set(0);
    expect((await get(30_999, '/')).code).toBe(503);
    set(1);
    isProxyHealthy = false;
    expect((await get(30_999, '/')).code).toBe(503);
    ports.set('default/web', undefined);
    await expect(get(30_999, '/')).rejects.toThrow('fetch failed');
  });

  it('tells of a port that it cannot have', async () => {
    const told: ActionReport[] = [];
    const ports = new HealthCheckNodePorts({
      isProxyHealthy: () => true,
      nodeName: 'n1',
      events: { report: (report) => told.push(report) },
      logger: silentLogger,
    });
    cleanups.push(() => {
      ports.close();
    });
    const health = { port: 30_998, addresses: [NODE], localEndpoints: 1 };
    ports.set('default/web', health);
    await eventually(() => get(30_998, '/'));
    ports.set('default/other', health);
    await eventually(() => {
      expect(told).toEqual([
        {
          regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'other' },
          type: 'Warning',
          reason: 'FailedToStartServiceHealthcheck',
          action: 'Listen',
          note: expect.stringMatching(
            /^node n1 failed to start healthcheck "default\/other" on .*:30998: listen EADDRINUSE/,
          ),
        },
      ]);
    });
  });
});
