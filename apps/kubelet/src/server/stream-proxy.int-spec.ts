import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { OpenSockets } from '@orrery/component';
import { proxyUpgrade } from './stream-proxy.js';

const HOST = '127.0.0.1';
const UPGRADE =
  'POST /exec/ns/p/c?command=sh HTTP/1.1\r\nHost: kubelet\r\nAuthorization: Bearer secret\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n';

const portOf = (server: NetServer): number => (server.address() as AddressInfo).port;

/** A streaming server that answers each request head with `answer` and then echoes. */
function startBackend(answer: string): Promise<{ server: NetServer; seen: () => string }> {
  let seen = '';
  const server = createServer((socket: Socket) => {
    let upgraded = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      seen += chunk.toString();
      if (upgraded) socket.write(chunk);
      else if (seen.includes('\r\n\r\n')) {
        upgraded = answer.startsWith('HTTP/1.1 101');
        socket.write(answer);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, HOST, () => {
      resolve({ server, seen: () => seen });
    });
  });
}

/** Sends `parts` one after the other, each after an answer came, and gives all that came until the end. */
function talk(port: number, parts: readonly string[], until: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    let got = '';
    const left = [...parts];
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      got += chunk.toString();
      const next = left.shift();
      if (next !== undefined) socket.write(next);
      if (got.includes(until)) socket.end();
    });
    socket.on('close', () => {
      resolve(got);
    });
    socket.write(left.shift() ?? '');
  });
}

describe('proxyUpgrade()', () => {
  let backend: { server: NetServer; seen: () => string };
  let front: Server;

  const start = async (answer: string): Promise<number> => {
    backend = await startBackend(answer);
    front = createHttpServer();
    front.on('upgrade', (request, socket, early) => {
      proxyUpgrade(
        request,
        socket,
        early,
        new URL(`http://${HOST}:${portOf(backend.server)}/exec/token`),
      );
    });
    await new Promise<void>((resolve) => {
      front.listen(0, HOST, resolve);
    });
    return portOf(front);
  };

  afterEach(() => {
    front.close();
    front.closeAllConnections();
    backend.server.close();
  });

  it('passes bytes both ways after 101, without the credentials of the caller', async () => {
    const port = await start(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n',
    );
    const got = await talk(port, [UPGRADE, 'hello'], 'hello');
    expect(got).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n.*\r\n\r\nhello$/s);
    expect(backend.seen()).toContain('POST /exec/token HTTP/1.1');
    expect(backend.seen()).not.toContain('secret');
  });

  it('lets no second request through when the upgrade is refused (CVE-2018-1002105)', async () => {
    const port = await start('HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n');
    const smuggled = 'GET /exec/other HTTP/1.1\r\nHost: x\r\n\r\n';
    const got = await talk(port, [`${UPGRADE}${smuggled}`, smuggled], '\u0000');
    expect(got).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*Connection: close\r\n\r\nno\n$/s);
    expect(backend.seen()).not.toContain('/exec/other');
  });

  it('follows no redirect of the runtime (CVE-2020-8559)', async () => {
    const port = await start(
      'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await talk(port, [UPGRADE], '\u0000')).toMatch(/^HTTP\/1\.1 302 Found\r\n/);
  });

  it('hands on the beginning of a refusal that has no end', async () => {
    const port = await start(`HTTP/1.1 500 No\r\n\r\n${'x'.repeat(1024 * 1024)}`);
    const got = await talk(port, [UPGRADE], '\u0000');
    expect(got).toMatch(/^HTTP\/1\.1 500 No\r\n.*Content-Length: 65537\r\n/s);
    expect(got.slice(got.indexOf('\r\n\r\n') + 4)).toBe(`${'x'.repeat(64 * 1024)}\n`);
  });

  it('ends with its server, which would wait for it', async () => {
    const port = await start(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n',
    );
    const sockets = new OpenSockets(front);
    const silent = connect(port, HOST);
    const upgraded = connect(port, HOST);
    const gone = [silent, upgraded].map((socket) => once(socket, 'close'));
    upgraded.write(UPGRADE);
    await once(upgraded, 'data');
    const closed = once(front, 'close');
    front.close();
    sockets.end();
    front.closeAllConnections();
    await Promise.all([closed, ...gone]);
  });
});
