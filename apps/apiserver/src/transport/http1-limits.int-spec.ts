import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ResponseOrder, SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { HTTP1_LIMITS, refuseMalformed } from './http1-limits.js';

const HOST = '127.0.0.1';
const HANDSHAKE_MS = 300;

const portOf = (server: TcpServer): number => (server.address() as AddressInfo).port;

describe('refuseMalformed()', () => {
  let server: Server;
  let answers: ((path: string) => void)[];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    answers = [];
    const now = new SystemClock().now();
    const ca = await createCa('ca', now);
    const asked = { commonName: 'x', sans: { ips: [HOST] }, usages: ['serverAuth'], now } as const;
    const { certPem: cert, keyPem: key } = await issueCertificate(ca, asked);
    server = createServer(
      { ...HTTP1_LIMITS, cert, key, handshakeTimeout: HANDSHAKE_MS },
      (request, response) => {
        request.on('error', () => undefined).resume();
        if (request.url === '/late') answers.push(() => response.end('late'));
        else if (request.url === '/long') response.write('long');
        else request.once('end', () => response.end('done'));
      },
    );
    const order = new ResponseOrder(server);
    server.on('clientError', (error, socket) => {
      refuseMalformed(error, socket as Socket, order);
    });
    server.listen(0, HOST);
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const raw = (port: number): Socket => {
    const socket = connect(port, HOST);
    sockets.push(socket.on('error', () => undefined));
    return socket;
  };
  const secure = async (
    port = portOf(server),
  ): Promise<{ socket: Socket; heard: () => string }> => {
    const socket = connectTls({ host: HOST, port, rejectUnauthorized: false });
    sockets.push(socket.on('error', () => undefined));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    await once(socket, 'secureConnect');
    return { socket, heard: () => text };
  };

  it('has the kernel look after clients that may have vanished', async () => {
    await secure();
    const local = `0100007F:${portOf(server).toString(16).toUpperCase().padStart(4, '0')}`;
    // /proc/net/tcp: local and remote address, state (01 = established), queues, timer (02 = keep-alive).
    const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
    const fields = lines.map((line) => line.trim().split(/\s+/));
    const ours = fields.filter(([, from, , state]) => from === local && state === '01');
    expect(ours.map(([, , , , , timer]) => timer?.slice(0, 2))).toEqual(['02']);
  });

  it('ends a connection whose handshake never begins', async () => {
    await once(raw(portOf(server)).resume(), 'close');
  });

  it('says nothing to a client whose handshake took too long, for its request was never read', async () => {
    // What the client sends after its first flight waits until the server has given up.
    let release = (): void => undefined;
    const slow = createTcpServer((client) => {
      const behind = raw(portOf(server));
      behind.pipe(client);
      client.once('data', (hello) => {
        behind.write(hello);
        client.pause();
        release = () => client.pipe(behind);
      });
      sockets.push(client.on('error', () => undefined));
    }).listen(0, HOST);
    await once(slow, 'listening');
    const gaveUp = once(server, 'tlsClientError');
    const client = connectTls({ host: HOST, port: portOf(slow), rejectUnauthorized: false });
    let heard = '';
    client.on('error', () => undefined);
    client.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await gaveUp;
    release();
    await once(client, 'close');
    slow.close();
    expect(heard).toBe('');
  });

  it.each([
    { name: 'no HTTP', said: 'HELLO\r\n\r\n', want: '400 Bad Request' },
    {
      name: 'a body whose chunks are none',
      said: 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      want: '400 Bad Request',
    },
  ])('tells who sends $name what it is', async ({ said, want }) => {
    const { socket, heard } = await secure();
    socket.write(said);
    await once(socket, 'close');
    expect(heard()).toMatch(new RegExp(`^HTTP/1.1 ${want}\r\n[^]*\r\n\r\n${want}$`));
  });

  it('tells it behind the answers to what was asked before', async () => {
    const { socket, heard } = await secure();
    socket.write('GET /late HTTP/1.1\r\nHost: x\r\n\r\nHELLO\r\n\r\n');
    await once(server, 'clientError');
    answers[0]?.('/late');
    await once(socket, 'close');
    expect([...heard().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)).toEqual([
      '200',
      '400',
    ]);
  });

  it('puts no word into an answer that has begun', async () => {
    const { socket, heard } = await secure();
    socket.write('POST /long HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await once(socket, 'data');
    socket.write('zz\r\n');
    await once(socket, 'close');
    expect(heard()).not.toContain('400');
  });
});
