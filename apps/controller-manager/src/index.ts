/** kube-controller-manager: every controller of the list, behind one lease. */
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
  ReconcileErrorFilter,
  WatchTransport,
  WriteFence,
  alwaysLeader,
  createQueueMeters,
  leadAlways,
} from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { ControllerManagerFlags, toOptions } from './config/options.js';
import type { ControllerManagerOptions } from './config/options.js';
import type { ControllerContext } from './controller-entry.js';
import { ControllerManagerModule } from './controller-manager.module.js';
import { selectControllers } from './controller-selection.js';
import { CONTROLLERS } from './controllers/controllers.js';

const NAME = 'kube-controller-manager';

interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

function electorOf(
  client: KubeClient,
  options: ControllerManagerOptions,
  base: Base,
): LeaderElector | undefined {
  if (!options.leaderElect) return undefined;
  return new LeaderElector({
    ...base,
    client,
    lease: { namespace: 'kube-system', name: NAME },
    identity: `${hostname()}_${base.random.uuid()}`,
    leaseDurationMs: options.leaseDurationMs,
    renewDeadlineMs: options.renewDeadlineMs,
    retryPeriodMs: options.retryPeriodMs,
  });
}

async function run(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const options = toOptions(parseFlags(ControllerManagerFlags, argv, NAME));
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
  const fence = new WriteFence(base.clock);
  const elector = electorOf(client, options, base);
  const leadership = elector ?? alwaysLeader;
  const guarded = new GuardedClient({
    client,
    informers,
    fence,
    beforeWrite: () => {
      leadership.assertMayWrite();
    },
  });
  const metrics = createMetrics({ process: true });
  const context: ControllerContext = {
    ...base,
    client: guarded,
    informers,
    options,
    events: (component) => new ApiEventRecorder({ ...base, client, component }),
  };
  const entries = selectControllers(CONTROLLERS, options);
  if (options.bindAddress)
    await serveHealth({ address: options.bindAddress, port: options.securePort, metrics }, signal);
  const strategy = new WatchTransport({
    ...base,
    informers,
    fence,
    meters: createQueueMeters(metrics),
    definitions: entries.map((entry) => {
      const definition = entry.definition(context);
      const concurrency = options.concurrency[entry.name] ?? definition.concurrency;
      return { ...definition, concurrency };
    }),
    whileLeading: elector ? (until, lead) => elector.start(until, lead) : leadAlways,
  });
  await serve(strategy, () => ControllerManagerModule.register(entries, context), signal);
  await client.close();
}

/** Runs the microservice until the signal aborts or the transport fails. */
async function serve(
  strategy: WatchTransport,
  module: () => ReturnType<typeof ControllerManagerModule.register>,
  signal: AbortSignal,
): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module(), {
    strategy,
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ReconcileErrorFilter());
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
