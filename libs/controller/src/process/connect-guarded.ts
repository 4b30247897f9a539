import { hostname } from 'node:os';
import type { KubeClient } from '@orrery/client';
import { connect, loadKubeconfig } from '@orrery/client';
import type { Clock, ComponentContext, Logger, Metrics, Random } from '@orrery/component';
import {
  SystemClock,
  SystemRandom,
  createLogger,
  createMetrics,
  inRootfs,
  serveHealth,
} from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { LeaderElector, alwaysLeader } from '../election/leader-elector.js';
import { leadAlways } from '../transport/watch-transport.js';
import type { WatchTransportOptions } from '../transport/watch-transport.js';
import type { EventRecorder } from '../writes/event-recorder.js';
import { ApiEventRecorder } from '../writes/event-recorder.js';
import { GuardedClient } from '../writes/guarded-client.js';
import { WriteFence } from '../writes/write-fence.js';
import type { ElectionOptions } from './leader-elected-flags.js';

export interface LeaderElectedOptions extends ElectionOptions {
  readonly kubeconfig: string;
  /** Address of /healthz and /metrics; '' = not served. */
  readonly bindAddress: string;
  readonly securePort: number;
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
  const server = {
    ...loadKubeconfig(inRootfs(options.kubeconfig)),
    ...(options.master === '' ? {} : { server: options.master }),
    userAgent: name,
    clock: base.clock,
  };
  const client = connect(server);
  const informers = new InformerFactory({ ...base, client });
  const fence = new WriteFence(base.clock);
  const elector = options.leaderElect
    ? new LeaderElector({
        ...base,
        ...options,
        client,
        identity: `${hostname()}_${base.random.uuid()}`,
      })
    : undefined;
  const leadership = elector ?? alwaysLeader;
  const isFenced = elector !== undefined && options.fencedWrites;
  const writer = isFenced ? connect({ ...server, fence: () => elector.fence }) : client;
  const metrics = createMetrics({ process: true });
  const { bindAddress: address, securePort: port } = options;
  if (address) await serveHealth({ address, port, metrics }, signal);
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
    events: (component) => new ApiEventRecorder({ ...base, client, component }),
    close: async () => {
      await writer.close();
      await client.close();
    },
  };
}
