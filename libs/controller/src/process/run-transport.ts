import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy, MicroserviceOptions } from '@nestjs/microservices';
import { ReconcileErrorFilter } from '../transport/reconcile-error.filter.js';

/** A transport that can end by itself. */
type EndingTransport = CustomTransportStrategy & { readonly stopped: Promise<unknown> };

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Runs a Nest microservice until the signal aborts or its transport fails. */
export async function runTransport(
  strategy: EndingTransport,
  module: DynamicModule,
  signal: AbortSignal,
): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy,
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ReconcileErrorFilter());
  await app.listen();
  await Promise.race([abortOf(signal), strategy.stopped]);
  await app.close();
}
