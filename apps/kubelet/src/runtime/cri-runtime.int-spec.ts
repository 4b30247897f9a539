import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CriController, CriError, CriExceptionFilter, CriServerStrategy } from '@orrery/cri';
import { CriRuntime } from './cri-runtime.js';

const LABELS = {
  'io.kubernetes.pod.uid': 'u1',
  'io.kubernetes.pod.name': 'web',
  'io.kubernetes.pod.namespace': 'shop',
  'io.kubernetes.container.name': 'main',
};

/** As containerd 1.6: containers have statistics; those of pods fail, metrics are unknown to it. */
@Controller()
class OldRuntime {
  listContainerStats(): Promise<object> {
    return Promise.resolve({
      stats: [
        {
          attributes: { id: 'c1', labels: LABELS },
          cpu: { timestamp: '1', usageCoreNanoSeconds: { value: 7 } },
          memory: { timestamp: '1', workingSetBytes: { value: 4096 } },
        },
      ],
    });
  }

  listPodSandboxStats(): Promise<never> {
    return Promise.reject(new CriError('UNKNOWN', 'failed to decode pod sandbox metrics'));
  }
}
CriController('RuntimeService')(OldRuntime as never);

@Module({ controllers: [OldRuntime] })
class OldRuntimeModule {}

describe('CriRuntime beside a runtime that cannot tell everything', () => {
  let folder: string;
  let server: INestMicroservice;
  let runtime: CriRuntime;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cri-runtime-'));
    server = await NestFactory.createMicroservice(OldRuntimeModule, {
      strategy: new CriServerStrategy(`unix://${folder}/cri.sock`),
      logger: false,
    });
    server.useGlobalFilters(new CriExceptionFilter());
    await server.listen();
    runtime = new CriRuntime(`unix://${folder}/cri.sock`);
  });

  afterEach(async () => {
    runtime.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  it('tells what containers use, and nothing of pods and of metrics', async () => {
    expect(await runtime.usage()).toEqual([
      expect.objectContaining({ podUid: 'u1', container: 'main', memoryWorkingSetBytes: 4096 }),
    ]);
    expect(await runtime.podUsage()).toEqual([]);
    expect(await runtime.metrics()).toEqual([]);
  });

  it('fails where a call without which nothing can be told fails', async () => {
    await expect(runtime.status()).rejects.toThrow(/Status/);
    await expect(runtime.imageBytes()).rejects.toThrow(/ImageFsInfo/);
  });
});
