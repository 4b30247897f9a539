import { once } from 'node:events';
import { mkdirSync, readlinkSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  SystemClock,
  SystemRandom,
  WITHOUT_SCHEMAS,
  createLogger,
  parseDuration,
  randomSuffix,
} from '@orrery/component';
import type { Clock, ComponentContext, Logger } from '@orrery/component';
import { Dataplane, DataplaneClient } from '@orrery/dataplane';
import type { RuleSet } from '@orrery/dataplane';
import type { PolicySet } from '@orrery/network-policy';
import type { DataplaneFlags } from './config/dataplane-flags.js';
import { DataplaneModule } from './dataplane.module.js';
import { Fleet } from './fleet/fleet.js';
import { Growth } from './fleet/growth.js';

/** All rules of a large cluster in one request. */
const BODY_LIMIT = 256 * 1024 * 1024;

async function createApp(fleet: Fleet): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(
    DataplaneModule.with(fleet),
    new FastifyAdapter({ ...WITHOUT_SCHEMAS, bodyLimit: BODY_LIMIT, forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );
}

const createDataplane = (flags: DataplaneFlags, clock: Clock): Dataplane =>
  new Dataplane({
    clock,
    random: new SystemRandom(),
    allowedBackends: flags.clusterCidr,
    allowedNodes: flags.nodeCidr,
    dialTimeoutMs: parseDuration(flags.dialTimeout) ?? 0,
    drainMs: parseDuration(flags.drainTimeout) ?? 0,
    // Ports are shared even by one process: its successor listens beside it before it stops.
    role: flags.role,
  });

/** The flags that a worker shares with the process that starts it. */
const sharedArgs = (flags: DataplaneFlags): string[] => [
  `--cluster-cidr=${flags.clusterCidr.join(',')}`,
  ...(flags.nodeCidr.length > 0 ? [`--node-cidr=${flags.nodeCidr.join(',')}`] : []),
  `--dial-timeout=${flags.dialTimeout}`,
  `--drain-timeout=${flags.drainTimeout}`,
];

const DRAIN_CHECK_MS = 100;

interface Predecessor {
  readonly client: DataplaneClient;
  readonly sets: readonly RuleSet[];
  readonly policies: PolicySet;
}

/** The dataplane that answers on this socket now; undefined when none does. */
async function findPredecessor(socket: string): Promise<Predecessor | undefined> {
  try {
    // Behind the link: the link itself will be ours.
    const client = new DataplaneClient(realpathSync(socket));
    return { client, sets: await client.sets(), policies: (await client.policies()) as PolicySet };
  } catch {
    return undefined;
  }
}

/** The predecessor's sockets and rules: both processes accept on the same sockets until it is told to end. */
async function succeed(
  fleet: Fleet,
  { client, sets, policies }: Predecessor,
  logger: Logger,
): Promise<void> {
  try {
    await fleet.inherit(await client.offers());
  } catch (error) {
    logger.warn('the dataplane that is here offers no listeners', { reason: String(error) });
  }
  await fleet.setPolicies(policies);
  for (const set of sets) await fleet.replace(set);
}

/** Resolves when nothing is relayed any more, or the signal aborts. */
async function drained(fleet: Fleet, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await fleet.connections()).length > 0)
    await clock.sleep(DRAIN_CHECK_MS, signal).catch(() => undefined);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Listens on a socket of this process's own, to which the well-known path is a link: whoever takes over turns the link,
 * and the one before removes only its own socket when it ends. Answers how to remove the link.
 */
async function listen(
  app: NestFastifyApplication,
  { socket, own }: { readonly socket: string; readonly own: string },
): Promise<() => void> {
  await app.init();
  mkdirSync(dirname(socket), { recursive: true });
  await app.getHttpAdapter().getInstance().listen({ path: own });
  symlinkSync(own, `${own}.link`);
  renameSync(`${own}.link`, socket);
  return () => {
    if (linkOf(socket) === own) rmSync(socket, { force: true });
  };
}

/** Serves the control socket until the signal aborts or a successor has taken over and the last connection has ended. */
export async function serve(
  flags: DataplaneFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const logger = createLogger({ component: 'dataplane' });
  const dataplane = createDataplane(flags, clock);
  const socket = flags.listen.slice('unix://'.length);
  const own = `${socket}.${randomSuffix(new SystemRandom())}`;
  const fleet = new Fleet(dataplane, logger, `${own}.fd`);
  const predecessor = await findPredecessor(socket);
  if (predecessor) await succeed(fleet, predecessor, logger);
  const app = await createApp(fleet);
  const unlink = await listen(app, { socket, own });
  if (predecessor) {
    await predecessor.client.release();
    // What could not be taken over is free now.
    await fleet.retry();
    fleet.settled();
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
  unlink();
  dataplane.destroy();
  await growing;
  await Promise.all([fleet.stop(), app.close(), metrics?.close()]);
}
