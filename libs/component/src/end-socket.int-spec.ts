import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { endSocket } from './end-socket.js';

const ASK =
  'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nand what nobody reads';

describe('endSocket()', () => {
  let server: Server;
  let client: Socket;
  let refused: Promise<Duplex>;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    refused = once(server, 'upgrade').then(([, socket]) => {
      // As Node hands it over: what came with the request is before what comes later.
      (socket as Duplex).unshift(Buffer.from('unread'));
      endSocket(socket as Duplex, 'HTTP/1.1 404 Not Found\r\n\r\n');
      return socket as Duplex;
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(ASK);
  });
  afterEach(() => {
    client.destroy();
    server.close();
  });

  it('leaves nothing open when the client goes, though it said what nobody read', async () => {
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('HTTP/1.1 404 Not Found\r\n\r\n');
    client.end('more');
    const socket = await refused;
    if (!socket.closed) await once(socket, 'close');
    expect(socket.closed).toBe(true);
  });

  it('does not wait for a client that stays', async () => {
    const socket = await refused;
    if (!socket.closed) await once(socket, 'close');
    expect(socket.closed).toBe(true);
    expect(client.writable).toBe(true);
  });
});
