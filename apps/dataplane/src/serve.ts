import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SystemClock, SystemRandom, createLogger, parseDuration } from '@orrery/component';
import type { Clock, ComponentContext } from '@orrery/component';
import { Dataplane, DataplaneClient } from '@orrery/dataplane';
import type { DataplaneRole, RuleSet } from '@orrery/dataplane';
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
  // Shared even when one process is enough: its successor listens beside it before it stops.
  return maxProcesses(workers) > 0 ? 'first' : 'alone';
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

const DRAIN_CHECK_MS = 100;

/** A dataplane that has been running on the same socket. */
class Predecessor {
  private constructor(
    private readonly socket: string,
    readonly sets: readonly RuleSet[],
  ) {}

  /** Undefined when none answers. */
  static async find(socket: string): Promise<Predecessor | undefined> {
    const sets = await new DataplaneClient(socket).sets().catch(() => undefined);
    return sets && new Predecessor(socket, sets);
  }

  /** Moves its socket aside, for this process to listen there. */
  stepAside(): void {
    renameSync(this.socket, `${this.socket}.old`);
  }

  /** It takes no connection from now on, and ends with the last one that it has. */
  async release(): Promise<void> {
    await new DataplaneClient(`${this.socket}.old`).release();
    rmSync(`${this.socket}.old`, { force: true });
  }
}

/** Resolves when nothing is relayed any more, or the signal aborts. */
async function drained(fleet: Fleet, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await fleet.connections()).length > 0)
    await clock.sleep(DRAIN_CHECK_MS, signal).catch(() => undefined);
}

async function listen(
  app: NestFastifyApplication,
  socket: string,
  predecessor: Predecessor | undefined,
): Promise<void> {
  await app.init();
  mkdirSync(dirname(socket), { recursive: true });
  if (predecessor) predecessor.stepAside();
  else rmSync(socket, { force: true });
  await app.getHttpAdapter().getInstance().listen({ path: socket });
}

/** Serves the control socket until the signal aborts or a successor has taken over and the last connection has ended. */
export async function serve(
  flags: DataplaneFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const logger = createLogger({ component: 'dataplane' });
  const dataplane = createDataplane(flags, clock);
  const fleet = new Fleet(dataplane, logger);
  const socket = flags.listen.slice('unix://'.length);
  const predecessor = await Predecessor.find(socket);
  for (const set of predecessor?.sets ?? []) await fleet.replace(set);
  const app = await createApp(fleet);
  await listen(app, socket, predecessor);
  if (predecessor) {
    await predecessor.release();
    // UDP ports cannot be shared for the time of a handover: they are free now.
    await fleet.retry();
    logger.info('took over from the dataplane that was here', { socket });
  }
  const metrics = flags.metricsBindAddress ? await createApp(fleet) : undefined;
  if (metrics && flags.metricsBindAddress) {
    const [host = '', port = ''] = flags.metricsBindAddress.split(':');
    await metrics.listen(Number(port), host);
  }
  logger.info('dataplane is ready', { socket });
  const { workers } = flags;
  const growth = new Growth(fleet, { workers, socket, args: sharedArgs(flags), clock, logger });
  const ending = new AbortController();
  const growing = growth.start(AbortSignal.any([signal, ending.signal]));
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), fleet.released]);
  ending.abort();
  await drained(fleet, clock, signal);
  dataplane.destroy();
  await growing;
  await Promise.all([fleet.stop(), app.close(), metrics?.close()]);
}
