import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { resources } from '@orrery/api';
import { connect } from './connect.js';
import { ConnectionError } from './connection-error.js';
import { reactingTo } from './reacting-to.js';
import type { WatchEvent } from './client.js';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const opened: Server[] = [];

async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      answer(request, response, body);
    });
  });
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.206.0.1', resolve));
  return `http://127.206.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (response: ServerResponse, code: number, value: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

const pod = (name: string, resourceVersion = '1'): object => ({
  metadata: { name, namespace: 'a', resourceVersion },
});

describe('connect()', () => {
  afterEach(() => {
    for (const server of opened.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('asks for pages and gives one list whose items have their type', async () => {
    const asked: string[] = [];
    const server = await serve((request, response) => {
      asked.push(request.url ?? '');
      const last = request.url?.includes('continue=');
      json(response, 200, {
        metadata: last ? { resourceVersion: '9' } : { resourceVersion: '9', continue: 'abc' },
        items: [pod(last ? 'two' : 'one')],
      });
    });
    const client = connect({ server });
    const list = await client.resource(resources.pods).list({ namespace: 'a', pageSize: 1 });
    expect(list.items.map((p) => [p.kind, p.metadata.name])).toEqual([
      ['Pod', 'one'],
      ['Pod', 'two'],
    ]);
    expect(asked).toEqual([
      '/api/v1/namespaces/a/pods?limit=1',
      '/api/v1/namespaces/a/pods?limit=1&continue=abc',
    ]);
    await client.close();
  });

  it('rejects with the Status that the server sent', async () => {
    const server = await serve((_, response) => {
      json(response, 404, { kind: 'Status', reason: 'NotFound', message: 'no', code: 404 });
    });
    const client = connect({ server });
    await expect(
      client.resource(resources.pods).get({ namespace: 'a', name: 'x' }),
    ).rejects.toMatchObject({ name: 'StatusError', code: 404, reason: 'NotFound' });
    await client.close();
  });

  it('tells with its writes, and only with them, what they react to', async () => {
    const told: [string | undefined, unknown][] = [];
    const server = await serve((request, response) => {
      told.push([request.method, request.headers['orrery-cause']]);
      json(response, 200, pod('one'));
    });
    const client = connect({ server });
    const pods = client.resource(resources.pods);
    const write = async (): Promise<unknown> => {
      await pods.get({ namespace: 'a', name: 'one' });
      return pods.patch({ namespace: 'a', name: 'one' }, 'merge', {});
    };
    await Promise.all([
      reactingTo({ revision: 45, controller: 'replicaset' }, write),
      reactingTo({ revision: 46, controller: 'kubelet', reason: 'no room' }, write),
    ]);
    await pods.patch({ namespace: 'a', name: 'one' }, 'merge', {});
    expect(
      told
        .filter(([method]) => method === 'PATCH')
        .map(([, cause]) => cause)
        .sort(),
    ).toEqual([
      'revision=45; controller=replicaset',
      'revision=46; controller=kubelet; reason=no%20room',
      undefined,
    ]);
    const reads = told.filter(([method]) => method === 'GET').map(([, cause]) => cause);
    expect(reads).toEqual([undefined, undefined]);
    await client.close();
  });

  it('repeats a GET on 429 when told when, and never a write', async () => {
    let gets = 0;
    let posts = 0;
    const server = await serve((request, response) => {
      if (request.method === 'POST') posts++;
      else if (++gets > 1) {
        json(response, 200, pod('x'));
        return;
      }
      response.setHeader('retry-after', '0');
      json(response, 429, { kind: 'Status', reason: 'TooManyRequests', code: 429 });
    });
    const client = connect({ server });
    const pods = client.resource(resources.pods);
    expect((await pods.get({ namespace: 'a', name: 'x' })).metadata.name).toBe('x');
    await expect(
      pods.create({ metadata: { name: 'x', namespace: 'a' }, spec: { containers: [] } }),
    ).rejects.toMatchObject({ code: 429 });
    expect(posts).toBe(1);
    await client.close();
  });

  it('says what is wrong when nothing listens', async () => {
    const client = connect({ server: 'http://127.206.0.1:9' });
    const failure = client.raw('/version');
    await expect(failure).rejects.toBeInstanceOf(ConnectionError);
    await expect(failure).rejects.toThrow(
      /cannot reach http:\/\/127.206.0.1:9: nothing is listening/,
    );
  });

  it('yields watch events however the stream is cut, and throws an ERROR event', async () => {
    const frames = [
      { type: 'ADDED', object: pod('ä', '5') },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } },
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'old' } },
    ];
    const bytes = Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
    const server = await serve((_, response) => {
      response.writeHead(200);
      let at = 0;
      const step = (): void => {
        if (at >= bytes.length) return;
        response.write(bytes.subarray(at, (at += 7)), step);
      };
      step();
    });
    const client = connect({ server });
    const events: WatchEvent<object & { metadata: object }>[] = [];
    const watch = async (): Promise<void> => {
      const query = { resourceVersion: '4' };
      const { signal } = new AbortController();
      for await (const event of client.resource(resources.pods).watch(query, signal))
        events.push(event);
    };
    await expect(watch()).rejects.toMatchObject({ reason: 'Expired' });
    expect(events).toEqual([
      { type: 'ADDED', object: pod('ä', '5') },
      { type: 'BOOKMARK', resourceVersion: '7', initialEventsEnd: false },
    ]);
    await client.close();
  });

  it('ends a watch at once when its signal aborts', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200).flushHeaders();
    });
    const client = connect({ server });
    const stop = new AbortController();
    const watch = async (): Promise<void> => {
      const query = { resourceVersion: '4' };
      for await (const _ of client.resource(resources.pods).watch(query, stop.signal)) void _;
    };
    const done = watch();
    stop.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    await client.close();
  });
});
