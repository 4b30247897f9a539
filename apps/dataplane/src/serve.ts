import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SystemClock, SystemRandom, createLogger } from '@orrery/component';
import type { ComponentContext } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { DataplaneFlags } from './config/dataplane-flags.js';
import { DataplaneModule } from './dataplane.module.js';

/** All rules of a large cluster in one request. */
const BODY_LIMIT = 256 * 1024 * 1024;

async function createApp(dataplane: Dataplane): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(
    DataplaneModule.with(dataplane),
    new FastifyAdapter({ bodyLimit: BODY_LIMIT, forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );
}

/** Serves the control socket until the signal aborts; then closes every listener and relayed connection. */
export async function serve(
  flags: DataplaneFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const log = createLogger({ component: 'dataplane' });
  const dataplane = new Dataplane({
    clock,
    random: new SystemRandom(),
    allowedBackends: flags.clusterCidr,
  });
  const socket = flags.listen.slice('unix://'.length);
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  const app = await createApp(dataplane);
  await app.init();
  await app.getHttpAdapter().getInstance().listen({ path: socket });
  const metrics = flags.metricsBindAddress ? await createApp(dataplane) : undefined;
  if (metrics && flags.metricsBindAddress) {
    const [host = '', port = ''] = flags.metricsBindAddress.split(':');
    await metrics.listen(Number(port), host);
  }
  log.info('dataplane is ready', { socket });
  if (!signal.aborted) await once(signal, 'abort');
  dataplane.destroy();
  await Promise.all([app.close(), metrics?.close()]);
}
