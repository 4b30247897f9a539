import { hostname } from 'node:os';
import type { ConnectOptions, KubeClient } from '@orrery/client';
import { RateLimit, connect, loadKubeconfig } from '@orrery/client';
import type { Clock, ComponentContext, Logger, Metrics, Random } from '@orrery/component';
import {
  SystemClock,
  SystemRandom,
  createLogger,
  createMetrics,
  inRootfs,
} from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { LeaderElector, alwaysLeader } from '../election/leader-elector.js';
import { leadAlways } from '../transport/watch-transport.js';
import type { WatchTransportOptions } from '../transport/watch-transport.js';
import type { EventRecorder } from '../writes/event-recorder.js';
import { ApiEventRecorder } from '../writes/event-recorder.js';
import { GuardedClient } from '../writes/guarded-client.js';
import { WriteFence } from '../writes/write-fence.js';
import { serveDelegated } from '../serving/serve-delegated.js';
import type { ServingParts } from '../serving/serve-delegated.js';
import type { ServingOptions } from '../serving/serving-flags.js';
import type { ElectionOptions, RequestLimit } from './leader-elected-flags.js';

export interface LeaderElectedOptions extends ElectionOptions {
  readonly kubeconfig: string;
  /** Address of /healthz and /metrics; '' = not served, as with the port 0. */
  readonly bindAddress: string;
  readonly securePort: number;
  readonly serving: ServingOptions;
  readonly requestLimit: RequestLimit | undefined;
  /** Who tells of who leads; default the process. */
  readonly electionComponent?: string;
}

/** What a process behind a lease works with. */
export interface GuardedProcess {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Writes only while this process leads, and tells the fence what it wrote. */
  readonly client: KubeClient;
  readonly fence: WriteFence;
  readonly informers: InformerFactory;
  readonly whileLeading: WatchTransportOptions['whileLeading'];
  /** Events are no decisions: they are written without the guard. */
  events(component: string): EventRecorder;
  close(): Promise<void>;
}

/** From here on the log tells more, as upstream's. */
const DEBUG_VERBOSITY = 4;

/** Connects a component to the API server behind its lease, and serves its health until the signal aborts. */
export async function connectGuarded(
  name: string,
  options: LeaderElectedOptions,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<GuardedProcess> {
  const base = {
    clock,
    random: new SystemRandom(),
    logger: createLogger({
      component: name,
      level: options.verbosity < DEBUG_VERBOSITY ? 'info' : 'debug',
    }),
  };
  const server = serverOf(name, options, clock);
  const client = connect(server);
  // Renewals of the lease wait for nobody.
  const renewer = server.limit ? connect({ ...server, limit: undefined }) : client;
  const informers = new InformerFactory({ ...base, client });
  const fence = new WriteFence(base.clock);
  const events = (component: string): EventRecorder =>
    new ApiEventRecorder({ ...base, client, component });
  const elector = options.leaderElect
    ? new LeaderElector({
        ...base,
        ...options,
        client: renewer,
        events: events(options.electionComponent ?? name),
        identity: `${hostname()}_${base.random.uuid()}`,
      })
    : undefined;
  const leadership = elector ?? alwaysLeader;
  const isFenced = elector !== undefined && options.fencedWrites;
  const writer = isFenced ? connect({ ...server, fence: () => elector.fence }) : client;
  const metrics = createMetrics({ process: true });
  await serve({ ...base, name, metrics }, options, signal);
  return {
    ...base,
    metrics,
    informers,
    fence,
    client: new GuardedClient({
      client: writer,
      informers,
      fence,
      beforeWrite: () => {
        leadership.assertMayWrite();
      },
      onFenced: () => elector?.fenced(),
    }),
    whileLeading: elector ? (until, lead) => elector.start(until, lead) : leadAlways,
    events,
    close: async () => {
      for (const each of [writer, renewer, client]) await each.close();
    },
  };
}

/** The API server of the kubeconfig, or of --master, and how many requests it may be sent. */
function serverOf(name: string, options: LeaderElectedOptions, clock: Clock): ConnectOptions {
  const { perSecond, burst } = options.requestLimit ?? {};
  return {
    ...loadKubeconfig(inRootfs(options.kubeconfig)),
    ...(options.master === '' ? {} : { server: options.master }),
    userAgent: name,
    clock,
    limit: perSecond && burst ? new RateLimit(perSecond, burst, clock) : undefined,
  };
}

/** Serves health and metrics where the flags say so. */
async function serve(
  parts: Pick<ServingParts, 'name' | 'clock' | 'logger' | 'metrics'>,
  { bindAddress: address, securePort: port, serving }: LeaderElectedOptions,
  signal: AbortSignal,
): Promise<void> {
  if (address && port !== 0)
    await serveDelegated({ ...parts, address, port, options: serving }, signal);
}
