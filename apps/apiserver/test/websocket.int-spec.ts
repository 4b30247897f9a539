import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { eventually, useEtcd } from '@orrery/testkit';
import { WebSocket } from 'ws';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

describe('WebSocket', () => {
  const etcd = useEtcd();
  let server: Replica;

  beforeAll(async () => {
    server = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  });
  afterAll(() => server.close());

  const open = (path: string, protocols: readonly string[] = []): WebSocket =>
    new WebSocket(`${server.address.replace('https', 'wss')}${path}`, [...protocols], {
      rejectUnauthorized: false,
    });

  it('watches: an event a message, as text', async () => {
    const socket = open(`${CONFIGMAPS}?watch=true`);
    const seen: [string, boolean][] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      const { type, object } = JSON.parse(data.toString()) as {
        type: string;
        object: { metadata: { name: string } };
      };
      seen.push([`${type} ${object.metadata.name}`, isBinary]);
    });
    await once(socket, 'open');
    await server.post(CONFIGMAPS, { metadata: { name: 'one' } });
    await server.post(CONFIGMAPS, { metadata: { name: 'two' } });
    await eventually(() => {
      expect(seen).toEqual([
        ['ADDED one', false],
        ['ADDED two', false],
      ]);
    });
    socket.close();
    await once(socket, 'close');
  });

  it('ends with the watch', async () => {
    const socket = open(`${CONFIGMAPS}?watch=true&timeoutSeconds=1`);
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1000);
  });

  it.each([
    { name: 'what is not there', path: '/api/v1/namespaces/default/pods/none/log', status: 404 },
    { name: 'what cannot be', path: `${CONFIGMAPS}?watch=true&fieldSelector=x`, status: 400 },
  ])('refuses $name as over HTTP', async ({ path, status }) => {
    const socket = open(path, ['binary.k8s.io']);
    const [, answer] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    expect(answer.statusCode).toBe(status);
    socket.on('error', () => undefined).terminate();
  });

  it('gives a plain answer to who asks for a list', async () => {
    const socket = open(CONFIGMAPS);
    const [, answer] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    expect(answer.statusCode).toBe(200);
    socket.on('error', () => undefined).terminate();
  });
});
