import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SystemClock, SystemRandom, createLogger, parseDuration } from '@orrery/component';
import type { Clock, ComponentContext } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { DataplaneRole } from '@orrery/dataplane';
import type { DataplaneFlags } from './config/dataplane-flags.js';
import { DataplaneModule } from './dataplane.module.js';
import { Fleet } from './fleet/fleet.js';
import { Growth, maxProcesses } from './fleet/growth.js';

/** All rules of a large cluster in one request. */
const BODY_LIMIT = 256 * 1024 * 1024;

async function createApp(fleet: Fleet): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(
    DataplaneModule.with(fleet),
    new FastifyAdapter({ bodyLimit: BODY_LIMIT, forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );
}

function roleOf({ role, workers }: DataplaneFlags): DataplaneRole {
  if (role === 'further') return role;
  return maxProcesses(workers) > 1 ? 'first' : 'alone';
}

const createDataplane = (flags: DataplaneFlags, clock: Clock): Dataplane =>
  new Dataplane({
    clock,
    random: new SystemRandom(),
    allowedBackends: flags.clusterCidr,
    dialTimeoutMs: parseDuration(flags.dialTimeout) ?? 0,
    drainMs: parseDuration(flags.drainTimeout) ?? 0,
    role: roleOf(flags),
  });

/** The flags that a worker shares with the process that starts it. */
const sharedArgs = (flags: DataplaneFlags): string[] => [
  `--cluster-cidr=${flags.clusterCidr.join(',')}`,
  `--dial-timeout=${flags.dialTimeout}`,
  `--drain-timeout=${flags.drainTimeout}`,
];

/** Serves the control socket until the signal aborts; then closes every listener and relayed connection. */
export async function serve(
  flags: DataplaneFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const logger = createLogger({ component: 'dataplane' });
  const dataplane = createDataplane(flags, clock);
  const fleet = new Fleet(dataplane, logger);
  const socket = flags.listen.slice('unix://'.length);
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  const app = await createApp(fleet);
  await app.init();
  await app.getHttpAdapter().getInstance().listen({ path: socket });
  const metrics = flags.metricsBindAddress ? await createApp(fleet) : undefined;
  if (metrics && flags.metricsBindAddress) {
    const [host = '', port = ''] = flags.metricsBindAddress.split(':');
    await metrics.listen(Number(port), host);
  }
  logger.info('dataplane is ready', { socket });
  const { workers } = flags;
  const growth = new Growth(fleet, { workers, socket, args: sharedArgs(flags), clock, logger });
  const growing = growth.start(signal);
  if (!signal.aborted) await once(signal, 'abort');
  dataplane.destroy();
  await growing;
  await Promise.all([fleet.stop(), app.close(), metrics?.close()]);
}
