import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  ShutdownWrap,
  UV_EOF,
  WriteWrap,
  connectTcp,
  isWriteWaiting,
  lastRead,
  listenTcp,
  newTcpHandle,
  resetTcp,
} from './tcp-handle.js';
import type { TcpHandle } from './tcp-handle.js';

const HOST = '127.234.132.7';
const PORT = 18_081;

/** What relaying takes for granted of Node's own handles: a Node that changed it would fail here first. */
describe('node TCP handles', () => {
  const handles: TcpHandle[] = [];
  afterEach(() => {
    for (const handle of handles.splice(0)) handle.close();
  });

  const listen = (accept: (client: TcpHandle) => void, isShared = false): TcpHandle | number => {
    const handle = listenTcp({
      address: HOST,
      port: PORT,
      backlog: 16,
      isShared,
      accept: (_, client) => {
        if (client) accept(client);
      },
    });
    if (typeof handle !== 'number') handles.push(handle);
    return handle;
  };

  it('reads into a buffer of ours, and goes on with the buffer that onread answers', async () => {
    const [first, second] = [Buffer.alloc(4), Buffer.alloc(8)];
    const reads: [number, string, string][] = [];
    const ended = new Promise<void>((resolve) => {
      listen((client) => {
        handles.push(client);
        client.onread = () => {
          const count = lastRead();
          if (count === UV_EOF) resolve();
          else reads.push([count, first.toString('latin1'), second.toString('latin1')]);
          return reads.length === 1 ? second : undefined;
        };
        client.useUserBuffer(first);
        client.readStart();
      });
    });
    const socket = connect(PORT, HOST);
    socket.end('abcdEFGH');
    await ended;
    expect(reads).toEqual([
      [4, 'abcd', '\0'.repeat(8)],
      [4, 'abcd', 'EFGH\0\0\0\0'],
    ]);
  });

  it('says whether a write waits, and completes it when the peer reads', async () => {
    const completed = new Promise<number>((resolve) => {
      listen((client) => {
        handles.push(client);
        const small = client.writeBuffer(new WriteWrap(), Buffer.from('x'));
        expect([small, isWriteWaiting()]).toEqual([0, false]);
        const request = new WriteWrap();
        request.data = Buffer.alloc(32 * 1024 * 1024);
        request.oncomplete = resolve;
        expect([client.writeBuffer(request, request.data), isWriteWaiting()]).toEqual([0, true]);
      });
    });
    const socket = connect(PORT, HOST);
    await once(socket, 'connect');
    socket.resume();
    expect(await completed).toBe(0);
    socket.destroy();
  });

  it('connects, half-closes and resets', async () => {
    let client: TcpHandle | undefined;
    listen((accepted) => {
      client = accepted;
    });
    const handle = newTcpHandle();
    const status = await new Promise<number>((resolve) => {
      expect(connectTcp(handle, { address: HOST, port: PORT }, resolve)).toBe(0);
    });
    expect(status).toBe(0);
    expect(handle.shutdown(new ShutdownWrap())).toBe(0);
    while (!client) await new Promise((resolve) => setImmediate(resolve));
    const peer: { address?: string; port?: number } = {};
    expect(client.getpeername(peer)).toBe(0);
    expect(peer.address).toMatch(/^127\./);
    resetTcp(client);
    const end = await new Promise<number>((resolve) => {
      handle.onread = () => {
        resolve(lastRead());
        return undefined;
      };
      handle.useUserBuffer(Buffer.alloc(16));
      handle.readStart();
    });
    expect(end).toBe(-104);
    handle.close();
  });

  it('shares a port only with those who share it too', () => {
    expect(typeof listen(() => undefined, true)).toBe('object');
    expect(typeof listen(() => undefined, true)).toBe('object');
    expect(listen(() => undefined, false)).toBe(-98);
  });
});
