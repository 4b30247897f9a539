import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import { Prober } from './prober.js';

const HOST = '127.0.0.1';

describe('an HTTP probe', () => {
  let server: Server;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
      if (pathname === '/redirect')
        response.writeHead(302, { location: searchParams.get('to') ?? '' }).end('moved');
      else if (pathname === '/round') response.writeHead(302, { location: '/round' }).end();
      else response.writeHead(pathname === '/healthy' ? 200 : 500).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, HOST, () => {
        resolve();
      });
    });
  });

  afterAll(() => {
    server.close();
  });

  const redirect = (to: string): string => `/redirect?to=${encodeURIComponent(to)}`;

  it.each([
    { what: 'passes where the answer is 200', path: '/healthy', passed: true },
    { what: 'fails where it is 500', path: '/', passed: false },
    { what: 'follows a redirect to what passes', path: redirect('/healthy'), passed: true },
    { what: 'follows a redirect to what fails', path: redirect('/'), passed: false },
    { what: 'follows two', path: redirect(redirect('/')), passed: false },
    { what: 'fails where redirects never end', path: '/round', passed: false },
    {
      what: 'passes with a warning where a redirect leads to another host',
      path: redirect('http://0.0.0.0/'),
      passed: true,
      warning: 'Probe terminated redirects, Response body: moved',
    },
  ])('$what', async ({ path, passed, warning }) => {
    const { port } = server.address() as AddressInfo;
    const result = await new Prober(new InMemoryRuntime(() => 0)).probe(
      { httpGet: { path, port, host: HOST }, timeoutSeconds: 20 },
      { name: 'main' },
      { containerId: 'x', startedAtMs: 0, podIp: HOST },
      { metadata: {}, spec: { containers: [] } },
    );
    expect(result.passed).toBe(passed);
    expect(result.warning ? result.output : undefined).toBe(warning);
  });
});
