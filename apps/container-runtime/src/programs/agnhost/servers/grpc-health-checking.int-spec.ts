import { connect } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { serveGrpcHealth } from './grpc-health-checking.js';

const HOST = '127.163.9.2';

interface Answer {
  readonly frame: string;
  readonly grpcStatus: string;
}

function call(port: number, path: string, message: Buffer): Promise<Answer> {
  const session = connect(`http://${HOST}:${port}`);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return new Promise<Answer>((resolve, reject) => {
    session.once('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let grpcStatus = '';
    const note = (headers: Readonly<Record<string, unknown>>): void => {
      if (typeof headers['grpc-status'] === 'string') grpcStatus = headers['grpc-status'];
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('close', () => {
      resolve({ frame: Buffer.concat(chunks).toString('hex'), grpcStatus });
    });
    stream.end(Buffer.concat([head, message]));
  }).finally(() => {
    session.close();
  });
}

describe(serveGrpcHealth.name, () => {
  let server: Server | undefined;
  const CHECK = '/grpc.health.v1.Health/Check';
  const serving = '00000000020801';
  const notServing = '00000000020802';

  async function started(service: string, healthy: () => boolean): Promise<number> {
    server = await serveGrpcHealth({ host: HOST, port: 0, service, healthy });
    return (server.address() as AddressInfo).port;
  }

  afterEach(() => {
    server?.close();
  });

  it('says SERVING, and NOT_SERVING when it is not healthy', async () => {
    let isHealthy = true;
    const port = await started('', () => isHealthy);
    const first = await call(port, CHECK, Buffer.alloc(0));
    expect(first).toEqual({ frame: serving, grpcStatus: '0' });
    isHealthy = false;
    const second = await call(port, CHECK, Buffer.alloc(0));
    expect(second).toEqual({ frame: notServing, grpcStatus: '0' });
  });

  it('serves the service that it was told of, and no other', async () => {
    const port = await started('shop', () => true);
    const asked = (name: string): Buffer =>
      Buffer.concat([Buffer.from([10, name.length]), Buffer.from(name)]);
    expect((await call(port, CHECK, asked('shop'))).frame).toBe(serving);
    expect((await call(port, CHECK, asked('other'))).frame).toBe(notServing);
    expect((await call(port, CHECK, Buffer.alloc(0))).frame).toBe(notServing);
  });

  it('knows no other method', async () => {
    const port = await started('', () => true);
    expect(await call(port, '/grpc.health.v1.Health/Nothing', Buffer.alloc(0))).toEqual({
      frame: '',
      grpcStatus: '12',
    });
  });
});
