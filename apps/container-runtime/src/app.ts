import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { SystemClock, SystemRandom, createLogger, parseFlags } from '@orrery/component';
import type { ComponentApp } from '@orrery/component';
import { CriExceptionFilter, CriServerStrategy } from '@orrery/cri';
import { followImageRules } from './catalog/image-rules.js';
import { RuntimeOptions } from './options.js';
import { isolationOfMachine } from './process/isolation.js';
import { Runtime } from './runtime.js';
import type { RuntimeDependencies } from './runtime.js';
import { RuntimeModule } from './runtime.module.js';

const NAME = 'container-runtime';

/** The rules that the cluster has for images; what goes wrong there stops nothing. */
async function followRules(
  { kubeconfig }: RuntimeOptions,
  dependencies: RuntimeDependencies,
  { catalog }: Runtime,
  signal: AbortSignal,
): Promise<void> {
  if (kubeconfig === '') return;
  const changed = catalog.setObjects.bind(catalog);
  try {
    await followImageRules({ ...dependencies, kubeconfig, changed }, signal);
  } catch (error) {
    dependencies.logger.error('ImageRules of the cluster are not followed', error);
  }
}

/** Serves the CRI until `signal` aborts; then ends every container that it runs. */
export async function serveRuntime(
  options: RuntimeOptions,
  dependencies: RuntimeDependencies,
  signal: AbortSignal,
  onReady: () => void = () => undefined,
): Promise<void> {
  const runtime = new Runtime(options, dependencies);
  await runtime.start();
  const following = followRules(options, dependencies, runtime, signal);
  try {
    mkdirSync(dirname(options.listen.replace(/^unix:\/\//, '')), { recursive: true });
    const server = await NestFactory.createMicroservice(RuntimeModule.of(runtime), {
      strategy: new CriServerStrategy(options.listen),
      logger: false,
      abortOnError: false,
    });
    server.useGlobalFilters(new CriExceptionFilter());
    await server.listen();
    dependencies.logger.info('serving the container runtime interface', {
      socket: options.listen,
      isolation: runtime.isolation,
    });
    onReady();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await server.close();
    await following;
  } finally {
    await runtime.stop();
  }
}

export const app: ComponentApp = {
  name: NAME,
  async run(argv, { signal, clock = new SystemClock(), onReady }) {
    const options = parseFlags(RuntimeOptions, argv, NAME);
    const logger = createLogger({ component: NAME });
    const isolation = await isolationOfMachine();
    const dependencies = { clock, random: new SystemRandom(), logger, isolation };
    await serveRuntime(options, dependencies, signal, onReady);
  },
};
