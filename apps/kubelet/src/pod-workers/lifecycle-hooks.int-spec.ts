import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SteppedClock, SystemClock, createMetrics } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { podOf } from '../../test/builders.js';
import { podMetrics } from '../metrics/pod-metrics.js';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import { LifecycleHooks } from './lifecycle-hooks.js';

const HOST = '127.235.9.5';

describe(LifecycleHooks.name, () => {
  let server: Server;
  let port = 0;
  const asked: IncomingHttpHeaders[] = [];
  const told: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.headers);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const pod = podOf('p');
  const target = { pod, container: { name: 'c' }, containerId: 'id', podIp: HOST };
  const hooksWith = (clock: Clock = new SystemClock()) => {
    const registry = createMetrics();
    const runtime = new InMemoryRuntime(() => 0);
    const hooks = new LifecycleHooks(runtime, clock, podMetrics(registry).hooks, {
      pod: (_pod, type, reason, message) => {
        told.push(`${type} ${reason} ${message}`);
      },
    });
    return { hooks, registry };
  };

  it('asks a server again in plain HTTP that so answered HTTPS, without credentials, and says so', async () => {
    const { hooks, registry } = hooksWith();
    const httpHeaders = [
      { name: 'Authorization', value: 'secret' },
      { name: 'X-Other', value: 'kept' },
    ];
    const httpGet = { scheme: 'HTTPS' as const, port, path: '/', httpHeaders };
    await hooks.run({ httpGet }, target, 5_000);
    expect(asked.map((headers) => [headers.authorization, headers['x-other']])).toEqual([
      [undefined, 'kept'],
    ]);
    expect(told).toEqual([
      `Warning LifecycleHTTPFallback request to HTTPS lifecycle hook ${HOST}:${port} got HTTP response, retry with HTTP succeeded`,
    ]);
    expect(await registry.text()).toContain('kubelet_lifecycle_handler_http_fallbacks_total 1');
  });

  it('asks nobody again who does not answer at all', async () => {
    const { hooks, registry } = hooksWith();
    const httpGet = { scheme: 'HTTPS' as const, port: 1, path: '/' };
    await expect(hooks.run({ httpGet }, target, 5_000)).rejects.toThrow(/Get "https:/);
    expect(await registry.text()).toContain('kubelet_lifecycle_handler_http_fallbacks_total 0');
  });

  it.each([
    { seconds: 2, graceMs: 5_000, want: 0 },
    { seconds: 9, graceMs: 5_000, want: 1 },
  ])(
    'counts a sleep of $seconds s that ends before it is over',
    async ({ seconds, graceMs, want }) => {
      const clock = new SteppedClock();
      const { hooks, registry } = hooksWith(clock);
      const slept = hooks.run({ sleep: { seconds } }, target, graceMs);
      await clock.step(graceMs);
      await slept;
      expect(await registry.text()).toContain(
        `kubelet_sleep_action_terminated_early_total ${want}`,
      );
    },
  );
});
