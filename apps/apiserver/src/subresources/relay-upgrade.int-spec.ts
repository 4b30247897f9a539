import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { upgradeHeaders } from './forwarded-headers.js';
import { relayUpgrade } from './relay-upgrade.js';
import type { Failing } from './relay-upgrade.js';

const HOST = '127.205.1.1';

describe('relayUpgrade()', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A back-end that answers each connection with `answer`, and what it received. */
  const backend = async (
    answer: string,
  ): Promise<{ port: number; received: string[]; closed: () => number }> => {
    const received: string[] = [];
    let closed = 0;
    const server = createTcpServer((socket: Socket) => {
      const index = received.push('') - 1;
      socket.on('data', (data) => {
        const first = received[index] === '';
        received[index] += data.toString();
        if (first) socket.write(answer);
        else if (answer.includes(' 101 ')) socket.write(`echo ${data.toString()}`);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => closed++);
    });
    servers.push(server.listen(0, HOST));
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, received, closed: () => closed };
  };

  const front = async (port: number, fail?: Failing): Promise<number> => {
    const server = createServer();
    server.on('upgrade', (incoming: IncomingMessage, socket, head) => {
      const target = { scheme: 'http', address: HOST, port } as const;
      void relayUpgrade({ socket, head, ...(fail && { fail }) }, target, {
        method: 'POST',
        path: '/exec',
        headers: upgradeHeaders(incoming.headers),
      });
    });
    servers.push(server.listen(0, HOST));
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  const upgradeRequest = (port: number): ReturnType<typeof request> =>
    request({
      host: HOST,
      port,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'Bearer secret' },
    }).end();

  it('joins both sides after 101 and keeps the credentials to itself', async () => {
    const { port, received } = await backend(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello ',
    );
    const [, socket, head] = (await once(upgradeRequest(await front(port)), 'upgrade')) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    let text = head.toString();
    socket.write('ping');
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes('echo ping')) break;
    }
    expect(text).toBe('hello echo ping');
    expect(received[0]).not.toContain('secret');
    socket.destroy();
  });

  it('hands on all that a back-end said before it hung up', async () => {
    const frame = Buffer.concat([Buffer.from([0x82, 5]), Buffer.from('hello')]);
    const said = Buffer.concat(Array.from({ length: 500 }, () => frame));
    const server = createTcpServer((socket: Socket) => {
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        );
        socket.end(said);
      });
      socket.on('error', () => undefined);
    });
    servers.push(server.listen(0, HOST));
    await once(server, 'listening');
    let heard = Buffer.alloc(0);
    // A client that takes each frame in a turn of its own, while the back-end's end comes in.
    const client = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        heard = Buffer.concat([heard, chunk]);
        setImmediate(done);
      },
    });
    const { port } = server.address() as AddressInfo;
    await relayUpgrade(
      { socket: client, head: Buffer.alloc(0) },
      { scheme: 'http', address: HOST, port },
      { method: 'GET', path: '/exec', headers: { connection: 'Upgrade', upgrade: 'websocket' } },
    );
    expect(heard.subarray(heard.indexOf('\r\n\r\n') + 4)).toEqual(said);
  });

  it('CVE-2018-1002105: a refused upgrade leaves no connection for a second request', async () => {
    const { port, received, closed } = await backend(
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno!',
    );
    const socket = connect(await front(port), HOST);
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    socket.write('GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(text).toMatch(/\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!$/);
    expect(received.join('')).not.toContain('smuggled');
    expect(closed()).toBe(1);
  });

  it.each([
    {
      name: 'a switch to another protocol',
      answer:
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    },
    {
      name: 'CVE-2020-8559: a redirect',
      answer: 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n',
    },
  ])('refuses $name', async ({ answer }) => {
    const { port } = await backend(answer);
    const [response] = (await once(upgradeRequest(await front(port)), 'response')) as [
      IncomingMessage,
    ];
    expect(response.statusCode).toBe(500);
    response.destroy();
  });

  it('says that the back-end cannot be reached', async () => {
    const [response] = (await once(upgradeRequest(await front(1)), 'response')) as [
      IncomingMessage,
    ];
    expect(response.statusCode).toBe(500);
    expect(JSON.parse((await response.setEncoding('utf8').toArray()).join(''))).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `error dialing backend: dial tcp ${HOST}:1: connect: connection refused`,
      code: 500,
    });
  });

  it('a client that hears on its stream is told why a back-end refuses', async () => {
    const { port } = await backend('HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nwhy\n');
    const told = new Promise<string>((resolve) => {
      void front(port, { undialled: () => undefined, refused: resolve }).then(upgradeRequest);
    });
    expect(await told).toBe('why\n');
  });

  it('gets the answer itself of a back-end that refuses without a word, and may try another protocol', async () => {
    const { port } = await backend('HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\n\n');
    const told: string[] = [];
    const fail = { undialled: () => undefined, refused: (text: string) => void told.push(text) };
    const [answer] = (await once(upgradeRequest(await front(port, fail)), 'response')) as [
      IncomingMessage,
    ];
    answer.resume();
    expect([answer.statusCode, told]).toEqual([403, []]);
  });

  it('hands a refusal on as the back-end wrote it', async () => {
    const { port } = await backend(
      'HTTP/1.1 500 Internal Server Error\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n',
    );
    const [response] = (await once(upgradeRequest(await front(port)), 'response')) as [
      IncomingMessage,
    ];
    expect(response.headers).toEqual({ 'x-a': 'b', 'content-length': '3', connection: 'close' });
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('no!');
  });
});
