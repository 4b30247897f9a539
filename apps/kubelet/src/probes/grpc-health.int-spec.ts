import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkGrpcHealth, encodeRequest } from './grpc-health.js';

const HOST = '127.235.9.1';
let server: { close(callback?: () => void): unknown } | undefined;

function listen(
  answer: (stream: ServerHttp2Stream, request: Buffer) => void,
  port = 0,
): Promise<number> {
  const http: Http2Server = createServer();
  http.on('stream', (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      answer(stream, Buffer.concat(chunks));
    });
  });
  server = http;
  return new Promise((resolve) => {
    http.listen(port, HOST, () => {
      resolve((http.address() as AddressInfo).port);
    });
  });
}

function reply(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
  });
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
}

afterEach(() => {
  server?.close();
  server = undefined;
});

describe('checkGrpcHealth()', () => {
  it.each<[string, number, string]>([
    ['passes a server that serves', 1, ''],
    [
      'names the status of one that does not',
      2,
      'service unhealthy (responded with "NOT_SERVING")',
    ],
    ['does not take an empty answer for health', 0, 'service unhealthy (responded with "UNKNOWN")'],
  ])('%s', async (_name, status, want) => {
    const port = await listen((stream) => {
      reply(stream, status);
    });
    expect(await checkGrpcHealth({ host: HOST, port, service: '' }, 1_000)).toBe(want);
  });

  it('asks for the service by name', async () => {
    const seen: Buffer[] = [];
    const port = await listen((stream, request) => {
      seen.push(request);
      reply(stream, 1);
    });
    await checkGrpcHealth({ host: HOST, port, service: 'liveness' }, 1_000);
    expect(seen[0]).toEqual(encodeRequest('liveness'));
    expect(seen[0]?.subarray(5).toString('latin1')).toBe('\n\bliveness');
  });

  it('tells a server without the health service', async () => {
    const port = await listen((stream) => {
      stream.respond(
        {
          'content-type': 'application/grpc',
          'grpc-status': '12',
          'grpc-message': 'unknown%20service',
        },
        { endStream: true },
      );
    });
    expect(await checkGrpcHealth({ host: HOST, port, service: '' }, 1_000)).toBe(
      'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service',
    );
  });

  it('a port that nobody listens on is dialled until the time is over', async () => {
    expect(await checkGrpcHealth({ host: HOST, port: 1, service: '' }, 200)).toBe(
      'timeout: failed to connect service "127.235.9.1:1" within 0.2s: context deadline exceeded',
    );
  });

  it('a server that comes while it is dialled is asked', async () => {
    const port = await listen(() => undefined);
    await new Promise<void>((resolve) => {
      server?.close(() => {
        resolve();
      });
    });
    const health = checkGrpcHealth({ host: HOST, port, service: '' }, 20_000);
    await listen((stream) => {
      reply(stream, 1);
    }, port);
    expect(await health).toBe('');
  });

  it('a server that says nothing is late', async () => {
    const silent = createTcpServer();
    server = silent;
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, HOST, () => {
        resolve((silent.address() as AddressInfo).port);
      });
    });
    const held = connect(port, HOST);
    const late = await checkGrpcHealth({ host: HOST, port, service: '' }, 200);
    held.destroy();
    expect(late).toMatch(/^timeout: (failed to connect service|health rpc did not complete)/);
  });
});
