import { hostname } from 'node:os';
import type { ConnectOptions, KubeClient } from '@orrery/client';
import { RateLimit, connect, loadKubeconfig, restClientMetrics } from '@orrery/client';
import type {
  Clock,
  ComponentContext,
  HealthCheck,
  HealthEndpoint,
  Logger,
  Metrics,
  Random,
} from '@orrery/component';
import {
  SystemClock,
  SystemRandom,
  createLogger,
  createMetrics,
  inRootfs,
  measureFeatures,
} from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { ServiceAccountToken } from './service-account-token.js';
import { createLeaderMeters } from '../election/leader-metrics.js';
import { LeaderElector, alwaysLeader } from '../election/leader-elector.js';
import { leadAlways } from '../transport/watch-transport.js';
import type { WatchTransportOptions } from '../transport/watch-transport.js';
import type { EventRecorder } from '../writes/event-recorder.js';
import { ApiEventRecorder } from '../writes/event-recorder.js';
import type { ActionRecorder } from '../writes/series-recorder.js';
import { SeriesRecorder } from '../writes/series-recorder.js';
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

/** How somebody reads and writes. */
export interface Acting {
  /** Writes only while this process leads, and tells the fence what it wrote. */
  readonly client: KubeClient;
  /** Events are no decisions: they are written without the guard. */
  events(component: string): EventRecorder;
  /** The same, as events.k8s.io/v1. */
  actions(controller: string): ActionRecorder;
}

/** What a process behind a lease works with. */
export interface GuardedProcess extends Acting {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Further pages of metrics on the health port, by path. */
  readonly pages: Map<string, Metrics>;
  /** What is looked at for each endpoint of the health port; to be added to. */
  readonly checks: Readonly<Record<HealthEndpoint, HealthCheck[]>>;
  readonly fence: WriteFence;
  readonly informers: InformerFactory;
  readonly whileLeading: WatchTransportOptions['whileLeading'];
  /** The same as a service account of kube-system, with its token in place of the credentials of the kubeconfig. */
  actAs(account: string): Acting;
  close(): Promise<void>;
}

/** From here on the log tells more, as upstream's. */
const DEBUG_VERBOSITY = 4;

/** Connects a component to the API server behind its lease, and serves its health until the signal aborts. */
export async function connectGuarded(
  name: string,
  options: LeaderElectedOptions,
  { signal, clock = new SystemClock(), local }: ComponentContext,
): Promise<GuardedProcess> {
  const level = options.verbosity < DEBUG_VERBOSITY ? 'info' : 'debug';
  const logger = createLogger({ component: name, level });
  const base = { clock, random: new SystemRandom(), logger };
  const metrics = createMetrics({ process: true });
  measureFeatures(metrics);
  const observer = restClientMetrics(metrics);
  const server = { ...serverOf(name, options, clock), observer, local };
  const client = connect(server);
  // Renewals of the lease wait for nobody.
  const renewer = server.limit ? connect({ ...server, limit: undefined }) : client;
  const informers = new InformerFactory({ ...base, client });
  const fence = new WriteFence(base.clock);
  const events = (component: string): EventRecorder =>
    new ApiEventRecorder({ ...base, client, component });
  const elector = electorOf(options, {
    ...base,
    client: renewer,
    events: events(options.electionComponent ?? name),
    metrics,
  });
  const opened = [client, renewer];
  const fenceOf = elector && options.fencedWrites ? () => elector.fence : undefined;
  const acting = (plain: KubeClient, as: ConnectOptions): Acting => {
    const writer = fenceOf ? connect({ ...as, fence: fenceOf }) : plain;
    opened.push(plain, writer);
    return {
      client: guard(writer, { informers, fence, elector }),
      events: (component) => new ApiEventRecorder({ ...base, client: plain, component }),
      actions: (controller) =>
        new SeriesRecorder({ ...base, client: plain, controller, host: hostname() }),
    };
  };
  const pages = new Map<string, Metrics>();
  const checks = checksOf(elector);
  await serve({ ...base, name, metrics, pages, checks }, options, signal);
  return {
    ...base,
    ...acting(client, server),
    metrics,
    pages,
    checks,
    informers,
    fence,
    whileLeading: elector ? (until, lead) => elector.start(until, lead) : leadAlways,
    actAs: (account) => {
      const tokens = new ServiceAccountToken({ client: renewer, account, clock });
      const userAgent = `${name}/${account}`;
      const as = { ...limited(anonymous(server), options, clock), tokens, userAgent };
      return acting(connect(as), as);
    },
    close: async () => {
      for (const each of opened) await each.close();
    },
  };
}

/** By upstream's name of the check (k8s client-go leaderelection/healthzadaptor.go). */
function checksOf(elector: LeaderElector | undefined): GuardedProcess['checks'] {
  const own = elector ? [{ name: 'leaderElection', check: () => elector.problem }] : [];
  return { healthz: [...own], livez: [...own], readyz: [...own] };
}

/** None where the options want no election. */
function electorOf(
  options: LeaderElectedOptions,
  parts: Pick<GuardedProcess, 'clock' | 'random' | 'logger' | 'client' | 'metrics'> & {
    readonly events: EventRecorder;
  },
): LeaderElector | undefined {
  if (!options.leaderElect) return undefined;
  return new LeaderElector({
    ...parts,
    ...options,
    identity: `${hostname()}_${parts.random.uuid()}`,
    meters: createLeaderMeters(parts.metrics, options.lease.name),
  });
}

/** Writes only while this process leads. */
function guard(
  client: KubeClient,
  parts: {
    readonly informers: InformerFactory;
    readonly fence: WriteFence;
    readonly elector: LeaderElector | undefined;
  },
): KubeClient {
  const { informers, fence, elector } = parts;
  const leadership = elector ?? alwaysLeader;
  const beforeWrite = (): void => {
    leadership.assertMayWrite();
  };
  return new GuardedClient({
    client,
    informers,
    fence,
    beforeWrite,
    onFenced: () => elector?.fenced(),
  });
}

/** The same server, asked by nobody in particular (k8s client-go rest: AnonymousClientConfig). */
const anonymous = ({
  server,
  ca,
  serverName,
  insecureSkipTlsVerify,
  observer,
  local,
}: ConnectOptions): ConnectOptions => ({
  server,
  ca,
  serverName,
  insecureSkipTlsVerify,
  ...(observer ? { observer } : {}),
  ...(local ? { local } : {}),
});

/** The API server of the kubeconfig, or of --master, and how many requests it may be sent. */
function serverOf(name: string, options: LeaderElectedOptions, clock: Clock): ConnectOptions {
  const server = {
    ...loadKubeconfig(inRootfs(options.kubeconfig)),
    ...(options.master === '' ? {} : { server: options.master }),
    userAgent: name,
  };
  return limited(server, options, clock);
}

/** With a limit of its own: upstream's counts for each client. */
function limited(
  server: ConnectOptions,
  { requestLimit }: LeaderElectedOptions,
  clock: Clock,
): ConnectOptions {
  const { perSecond, burst } = requestLimit ?? {};
  const limit = perSecond && burst ? new RateLimit(perSecond, burst, clock) : undefined;
  return { ...server, clock, limit };
}

/** Serves health and metrics where the flags say so. */
async function serve(
  parts: Pick<ServingParts, 'name' | 'clock' | 'logger' | 'metrics' | 'pages' | 'checks'>,
  { bindAddress: address, securePort: port, serving }: LeaderElectedOptions,
  signal: AbortSignal,
): Promise<void> {
  if (address && port !== 0)
    await serveDelegated({ ...parts, address, port, options: serving }, signal);
}
