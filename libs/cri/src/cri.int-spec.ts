import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { connectCri } from './client.js';
import type { CriClient } from './client.js';
import { CriError } from './cri-error.js';
import type { ContainerStatusResponse, VersionRequest } from './gen/messages.js';
import type { ContainerEventResponse } from './gen/messages.js';
import type { Init } from './call.js';
import { CriController, CriExceptionFilter } from './handlers.js';
import { CriServerStrategy } from './server.js';

@Controller()
class Fake {
  version(request: VersionRequest): Promise<object> {
    return Promise.resolve({ version: request.version, runtimeName: 'fake' });
  }

  containerStatus(request: { containerId: string }): Promise<Init<ContainerStatusResponse>> {
    if (request.containerId === 'none')
      return Promise.reject(new CriError('NOT_FOUND', 'container none not found'));
    return Promise.resolve({
      status: {
        id: request.containerId,
        state: 'CONTAINER_EXITED',
        createdAt: '1700000000123456789',
        labels: { a: 'b' },
        resources: { linux: { memoryLimitInBytes: 64 << 20 } },
      },
    });
  }

  async *getContainerEvents(
    _request: object,
    signal: AbortSignal,
  ): AsyncIterable<Init<ContainerEventResponse>> {
    for (let i = 0; !signal.aborted; i++) {
      await new Promise(setImmediate);
      yield { containerId: String(i), containerEventType: 'CONTAINER_STARTED_EVENT' };
    }
  }
}
CriController('RuntimeService')(Fake as never);

@Module({ controllers: [Fake] })
class FakeModule {}

describe('CRI over a unix socket', () => {
  let folder: string;
  let server: INestMicroservice;
  let client: CriClient;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cri-'));
    server = await NestFactory.createMicroservice(FakeModule, {
      strategy: new CriServerStrategy(`unix://${folder}/cri.sock`),
      logger: false,
    });
    server.useGlobalFilters(new CriExceptionFilter());
    await server.listen();
    client = connectCri(`unix://${folder}/cri.sock`);
  });

  afterEach(async () => {
    client.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  it('answers a unary call with every scalar present', async () => {
    await expect(client.runtime.version({ version: 'v1' })).resolves.toEqual({
      version: 'v1',
      runtimeName: 'fake',
      runtimeVersion: '',
      runtimeApiVersion: '',
    });
  });

  it('keeps nanoseconds exact and makes other 64-bit integers numbers', async () => {
    const { status } = await client.runtime.containerStatus({ containerId: 'c1' });
    expect(status?.createdAt).toBe('1700000000123456789');
    expect(status?.resources?.linux?.memoryLimitInBytes).toBe(67108864);
    expect(status?.state).toBe('CONTAINER_EXITED');
    expect(status?.labels).toEqual({ a: 'b' });
    expect(status).not.toHaveProperty('metadata');
  });

  it('carries code and text of a failure', async () => {
    await expect(client.runtime.containerStatus({ containerId: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'container none not found',
    });
  });

  it('names an RPC that the server does not have', async () => {
    await expect(client.images.listImages({})).rejects.toMatchObject({
      code: 'UNIMPLEMENTED',
      message: 'method ListImages not implemented',
    });
  });

  it('streams until the reader has enough', async () => {
    const seen: string[] = [];
    for await (const event of client.runtime.getContainerEvents({})) {
      seen.push(event.containerId);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['0', '1', '2']);
  });

  it('ends a stream by the signal', async () => {
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const event of client.runtime.getContainerEvents(
        {},
        { signal: controller.signal },
      ))
        if (event.containerId === '2') controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('fails with UNAVAILABLE where nothing listens', async () => {
    const nobody = connectCri(`unix://${folder}/nobody.sock`);
    await expect(nobody.runtime.version({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    nobody.close();
  });
});
