import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resources } from '@orrery/api';
import { SteppedClock, createMetrics } from '@orrery/component';
import { connect } from './connect.js';
import { restClientMetrics } from './rest-client-metrics.js';

describe('restClientMetrics()', () => {
  let server: Server;
  let host = '';
  let refusals = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const code = request.url?.startsWith('/busy') && refusals++ === 0 ? 429 : 200;
      if (code === 429) response.setHeader('retry-after', '0');
      if (request.url?.includes('watch=')) {
        response.writeHead(200).write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
        return;
      }
      request.resume().on('end', () => response.writeHead(code).end('{"items":[]}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.206.0.7', resolve));
    host = `127.206.0.7:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const told = async (ask: (client: ReturnType<typeof connect>) => Promise<unknown>, to = host) => {
    const metrics = createMetrics();
    const observer = restClientMetrics(metrics);
    const client = connect({ server: `http://${to}`, observer, clock: new SteppedClock() });
    await ask(client).catch(() => undefined);
    await client.close();
    const lines = (await metrics.text()).split('\n');
    return lines
      .filter((line) => /_total\{|_count\{/.test(line))
      .map((line) => line.replace(to, 'HOST'));
  };

  it('counts a request by code, method and host, its time and its bytes', async () => {
    expect(
      await told((client) => client.raw('/x', undefined, { method: 'POST', body: '{}' })),
    ).toEqual([
      'rest_client_requests_total{code="200",method="POST",host="HOST"} 1',
      'rest_client_request_duration_seconds_count{verb="POST",host="HOST"} 1',
      'rest_client_request_size_bytes_count{verb="POST",host="HOST"} 1',
      'rest_client_response_size_bytes_count{verb="POST",host="HOST"} 1',
    ]);
  });

  it('counts what is asked again', async () => {
    const lines = await told((client) => client.raw('/busy'));
    expect(lines.filter((line) => line.includes('_total'))).toEqual([
      'rest_client_requests_total{code="429",method="GET",host="HOST"} 1',
      'rest_client_requests_total{code="200",method="GET",host="HOST"} 1',
      'rest_client_request_retries_total{code="429",verb="GET",host="HOST"} 1',
    ]);
  });

  it('counts a watch when it is opened, without a time', async () => {
    const lines = await told(async (client) => {
      for await (const event of client
        .resource(resources.pods)
        .watch({ resourceVersion: '1' }, new AbortController().signal))
        if (event) return;
    });
    expect(lines).toEqual(['rest_client_requests_total{code="200",method="GET",host="HOST"} 1']);
  });

  it('counts a request that nobody answers', async () => {
    const lines = await told((client) => client.raw('/x'), '127.206.0.7:1');
    expect(lines).toContain(
      'rest_client_requests_total{code="<error>",method="GET",host="HOST"} 1',
    );
  });
});
