/** kube-scheduler: gives each pod that has none a node, behind one lease. */
import { hostname } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import {
  SystemClock,
  SystemRandom,
  createLogger,
  createMetrics,
  inRootfs,
  parseFlags,
  serveHealth,
} from '@orrery/component';
import type { Clock, ComponentApp, Logger, Random } from '@orrery/component';
import {
  ApiEventRecorder,
  GuardedClient,
  LeaderElector,
  WriteFence,
  alwaysLeader,
  leadAlways,
} from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { assemble } from './assemble.js';
import { SchedulerFlags, toOptions } from './config/options.js';
import type { SchedulerOptions } from './config/options.js';
import { QueueTransport } from './queue-transport.js';
import { SchedulerModule } from './scheduler.module.js';

const NAME = 'kube-scheduler';

/** Decisions being written at a time. */
const MAX_IN_FLIGHT = 64;

interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

function electorOf(
  client: KubeClient,
  options: SchedulerOptions,
  base: Base,
): LeaderElector | undefined {
  if (!options.leaderElect) return undefined;
  return new LeaderElector({
    ...base,
    client,
    lease: options.lease,
    identity: `${hostname()}_${base.random.uuid()}`,
    leaseDurationMs: options.leaseDurationMs,
    renewDeadlineMs: options.renewDeadlineMs,
    retryPeriodMs: options.retryPeriodMs,
  });
}

async function run(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const options = toOptions(parseFlags(SchedulerFlags, argv, NAME));
  const base: Base = {
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: createLogger({ component: NAME }),
  };
  const client = connect({
    ...loadKubeconfig(inRootfs(options.kubeconfig)),
    userAgent: NAME,
    clock: base.clock,
  });
  const informers = new InformerFactory({ ...base, client });
  const elector = electorOf(client, options, base);
  const leadership = elector ?? alwaysLeader;
  const guarded = new GuardedClient({
    client,
    informers,
    fence: new WriteFence(base.clock),
    beforeWrite: () => {
      leadership.assertMayWrite();
    },
  });
  const metrics = createMetrics({ process: true });
  const { scheduler, queue, everySecond } = assemble(options, {
    ...base,
    client: guarded,
    informers,
    metrics,
    events: (component) => new ApiEventRecorder({ ...base, client, component }),
  });
  if (options.bindAddress)
    await serveHealth({ address: options.bindAddress, port: options.securePort, metrics }, signal);
  const strategy = new QueueTransport({
    ...base,
    queue,
    informers,
    everySecond,
    maxInFlight: MAX_IN_FLIGHT,
    whileLeading: elector ? (until, lead) => elector.start(until, lead) : leadAlways,
  });
  try {
    await serve(strategy, () => SchedulerModule.register(scheduler), signal);
  } finally {
    await client.close();
  }
}

/** Runs the microservice until the signal aborts or the transport fails. */
async function serve(
  strategy: QueueTransport,
  module: () => ReturnType<typeof SchedulerModule.register>,
  signal: AbortSignal,
): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module(), {
    strategy,
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
  await Promise.race([aborted, strategy.stopped]);
  await app.close();
}

/** The component, for main.ts and for a composition of several. */
export const app: ComponentApp = {
  name: NAME,
  run: (argv, { signal }) => run(argv, signal),
};
