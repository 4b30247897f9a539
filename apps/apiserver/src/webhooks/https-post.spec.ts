import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SystemClock } from '@orrery/component';
import { HookPoster } from './https-post.js';

describe('HookPoster', () => {
  const asked: string[] = [];
  let server: Server;
  let base: string;
  const poster = new HookPoster(new SystemClock());

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    poster.close();
    server.close();
  });

  // client-go joins the paths of a client's base and its prefix (rest/request.go:NewRequest), and path.Join cleans.
  it.each([
    ['', '/?timeout=10s'],
    ['/', '/?timeout=10s'],
    ['/hook', '/hook?timeout=10s'],
    ['//hook', '/hook?timeout=10s'],
    ['/a//b/', '/a/b?timeout=10s'],
    ['/a/./b/../c', '/a/c?timeout=10s'],
  ])('asks for the cleaned path of %j', async (path, expected) => {
    asked.length = 0;
    await poster.post(
      { url: `${base}${path}` },
      { body: '{}', timeoutMs: 10_000, sendTimeout: true },
    );
    expect(asked).toEqual([expected]);
  });
});
