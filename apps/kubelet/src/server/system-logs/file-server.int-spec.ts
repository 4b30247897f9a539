// Files of the machine over HTTP, as Go's file server answers for upstream's kubelet.
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serveFile } from './file-server.js';

const HOST = '127.163.9.1';

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

describe(serveFile.name, () => {
  let folder = '';
  let server: Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'system-logs-'));
    const root = join(folder, 'log');
    await mkdir(join(root, 'pods', 'a_b'), { recursive: true });
    await writeFile(join(root, 'kubelet.log'), 'first\nsecond\n');
    await writeFile(join(root, 'old.log.gz'), Buffer.from([0x1f, 0x8b, 0, 0]));
    await writeFile(join(root, 'a<b>&c: d.log'), 'strange');
    await writeFile(join(root, 'pods', 'a_b', '0.log'), 'of a pod');
    await writeFile(join(folder, 'secret'), 'not for you');
    await symlink(join(folder, 'secret'), join(root, 'out'));
    await symlink(join(root, 'pods'), join(root, 'in'));
    server = createServer((incoming, outgoing) => {
      void serveFile(root, (incoming.url ?? '').replace(/^\/logs\//, ''), incoming, outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      request({ host: HOST, port, path: `/logs/${path}`, headers, method }, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => {
          body += chunk.toString('latin1');
        });
        answer.on('end', () => {
          resolve({ code: answer.statusCode ?? 0, body, headers: answer.headers });
        });
      })
        .on('error', reject)
        .end();
    });

  it('lists a folder, names as text and as links', async () => {
    const { code, body, headers } = await ask('');
    expect([code, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toContain(
      '<pre>\n<a href="./a%3Cb%3E&c:%20d.log">a&lt;b&gt;&amp;c: d.log</a>\n<a href="in/">in/</a>\n',
    );
    expect(body).toContain('<a href="kubelet.log">kubelet.log</a>\n');
    expect(body).toContain('<a href="pods/">pods/</a>\n</pre>\n');
  });

  it.each([
    { name: 'a file', path: 'kubelet.log', want: [200, 'first\nsecond\n'] },
    { name: 'a file below', path: 'pods/a_b/0.log', want: [200, 'of a pod'] },
    { name: 'a link that stays inside', path: 'in/a_b/0.log', want: [200, 'of a pod'] },
    { name: 'nothing', path: 'nothing.log', want: [404, '404 page not found\n'] },
    { name: 'a file as a folder', path: 'kubelet.log/x', want: [404, '404 page not found\n'] },
    { name: 'a link that leads out', path: 'out', want: [404, '404 page not found\n'] },
    { name: 'a way out', path: '../secret', want: [404, '404 page not found\n'] },
    { name: 'a hidden way out', path: '%2e%2e/secret', want: [404, '404 page not found\n'] },
    { name: 'a hidden slash', path: '..%2fsecret', want: [404, '404 page not found\n'] },
    { name: 'a NUL', path: 'kubelet.log%00', want: [404, '404 page not found\n'] },
    { name: 'no UTF-8', path: '%ff%fe', want: [404, '404 page not found\n'] },
    { name: 'half an escape', path: '%e', want: [400, 'Bad Request\n'] },
  ])('answers $name', async ({ path, want }) => {
    const { code, body } = await ask(path);
    expect([code, body]).toEqual(want);
  });

  it.each([
    { path: 'pods', want: 'pods/' },
    { path: 'pods/a_b', want: 'a_b/' },
    { path: 'kubelet.log/', want: '../kubelet.log' },
  ])('sends on from $path to $want', async ({ path, want }) => {
    const { code, headers } = await ask(path);
    expect([code, headers.location]).toEqual([301, want]);
  });

  it.each([
    { range: 'bytes=0-4', want: [206, 'first', 'bytes 0-4/13'] },
    { range: 'bytes=6-', want: [206, 'second\n', 'bytes 6-12/13'] },
    { range: 'bytes=-7', want: [206, 'second\n', 'bytes 6-12/13'] },
    { range: 'bytes=-700', want: [206, 'first\nsecond\n', 'bytes 0-12/13'] },
    { range: 'bytes=13-', want: [416, 'invalid range: failed to overlap\n', 'bytes */13'] },
    { range: 'bytes=x', want: [416, 'invalid range\n', undefined] },
    { range: 'bytes=0-1,3-4', want: [200, 'first\nsecond\n', undefined] },
  ])('answers the range $range', async ({ range, want }) => {
    const { code, body, headers } = await ask('kubelet.log', { range });
    expect([code, body, headers['content-range']]).toEqual(want);
  });

  it('says nothing new of a file that has not changed', async () => {
    const { headers } = await ask('kubelet.log');
    const since = headers['last-modified'] ?? '';
    expect((await ask('kubelet.log', { 'if-modified-since': since })).code).toBe(304);
  });

  it('gives the head alone', async () => {
    const { code, body, headers } = await ask('kubelet.log', {}, 'HEAD');
    expect([code, body, headers['content-length']]).toEqual([200, '', '13']);
  });

  it('never says that a log is a page', async () => {
    const types = ['kubelet.log', 'old.log.gz'].map(
      async (path) => (await ask(path)).headers['content-type'],
    );
    expect(await Promise.all(types)).toEqual(['text/plain; charset=utf-8', 'application/gzip']);
  });
});
