import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resources } from '@orrery/api';
import { connect } from './connect.js';
import type { KubeClient } from './client.js';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

const slice = (fields: object): object => ({
  metadata: { name: 'web', namespace: 'a', resourceVersion: '1' },
  addressType: 'IPv4',
  ...fields,
});

/** A server that has EndpointSlices in discovery.k8s.io/v1beta1 alone, as those of 1.17 to 1.20. */
class OldServer {
  readonly asked: Asked[] = [];
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '' } = request;
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      this.asked.push({ method, path: url, body });
      this.answer(request, response, body);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.206.0.2', resolve));
    return `http://127.206.0.2:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer({ url = '' }: IncomingMessage, response: ServerResponse, body: unknown): void {
    const send = (value: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(value)}\n`);
    };
    const old = slice({
      endpoints: [{ addresses: ['10.0.0.1'], topology: { 'topology.kubernetes.io/zone': 'z' } }],
    });
    if (url === '/apis/discovery.k8s.io') send({ versions: [{ version: 'v1beta1' }] });
    else if (!url.startsWith('/apis/discovery.k8s.io/v1beta1/'))
      response.writeHead(404).end('404 page not found\n');
    else if (url.includes('watch=true')) send({ type: 'ADDED', object: old });
    else if (body) send(body);
    else send({ metadata: { resourceVersion: '7' }, items: [old] });
  }
}

describe('a server that has a resource in an older version alone', () => {
  let server: OldServer;
  let client: KubeClient;

  beforeEach(async () => {
    server = new OldServer();
    client = connect({ server: await server.start() });
  });

  afterEach(async () => {
    await client.close();
    server.stop();
  });

  it('is asked for that one, and what it answers is brought to the current one', async () => {
    const slices = client.resource(resources.endpointslices);
    const { items } = await slices.list({ namespace: 'a' });
    expect(items).toMatchObject([
      { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', endpoints: [{ zone: 'z' }] },
    ]);
    await slices.list({ namespace: 'a' });
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/apis/discovery.k8s.io/v1/namespaces/a/endpointslices',
      '/apis/discovery.k8s.io',
      '/apis/discovery.k8s.io/v1beta1/namespaces/a/endpointslices',
      '/apis/discovery.k8s.io/v1beta1/namespaces/a/endpointslices',
    ]);
  });

  it('is written to in it', async () => {
    const slices = client.resource(resources.endpointslices);
    const endpoints = [{ addresses: ['10.0.0.1'], zone: 'z' }];
    const made = await slices.create(slice({ endpoints }) as never);
    expect(made).toMatchObject({ apiVersion: 'discovery.k8s.io/v1', endpoints });
    const patched = await slices.patch({ namespace: 'a', name: 'web' }, 'merge', { endpoints });
    expect(patched).toMatchObject({ endpoints });
    const old = { endpoints: [{ topology: { 'topology.kubernetes.io/zone': 'z' } }] };
    expect(server.asked.slice(2).map(({ method, body }) => ({ method, body }))).toMatchObject([
      { method: 'POST', body: { apiVersion: 'discovery.k8s.io/v1beta1', ...old } },
      { method: 'PATCH', body: old },
    ]);
    expect(server.asked.at(-1)?.body).not.toHaveProperty('kind');
  });

  it('is watched in it', async () => {
    const slices = client.resource(resources.endpointslices);
    const events = [];
    for await (const event of slices.watch({ resourceVersion: '7' }, new AbortController().signal))
      events.push(event);
    expect(events).toMatchObject([
      { type: 'ADDED', object: { apiVersion: 'discovery.k8s.io/v1', endpoints: [{ zone: 'z' }] } },
    ]);
  });

  it('says as before what it does not have at all', async () => {
    await expect(client.resource(resources.poddisruptionbudgets).list()).rejects.toMatchObject({
      status: { code: 404 },
    });
  });
});
