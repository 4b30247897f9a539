import type { StorageError } from '@orrery/storage';
import { networkInterfaces } from 'node:os';
import type { Clock, HealthCheck, Logger, Random } from '@orrery/component';
import {
  afterGrace,
  HealthChecks,
  measureFeatures,
  parseDuration,
  within,
} from '@orrery/component';
import { firstServiceIp } from '@orrery/registry';
import { EtcdAdmin } from '@orrery/storage';
import { assembleApi } from './assemble-api.js';
import type { ApiParts } from './assemble-api.js';
import { HistoryKeeper } from './at/keep-history.js';
import { pastClusters } from './at/past-clusters.js';
import type { Shutdown } from './bootstrap/shutdown.js';
import { StartHookRunner } from './bootstrap/start-hook-runner.js';
import { afterNamespaces, ownStartHooks } from './bootstrap/start-hooks.js';
import type { OpenStorage } from './config/open-storage.js';
import type { ApiServerOptions } from './config/options.js';
import { createExtensions } from './extensions.js';
import type { ServerExtensions, ServerServices } from './extensions.js';
import { forkClusters } from './forks/fork-clusters.js';
import { SentRevisions } from './history/sent-revisions.js';
import { measureObjects } from './health/object-metrics.js';
import type { RequestMetrics } from './health/request-metrics.js';
import {
  measureMetrics,
  measureValidation,
  measureVersion,
  measuredAuthenticator,
  measuredAuthorizer,
} from './health/server-metrics.js';
import { StorageSize } from './health/storage-metrics.js';
import { withHistory } from './history/history-paths.js';
import { LogicalClusters } from './logical-clusters/logical-clusters.js';
import { OpenApiDocuments } from './openapi/openapi-documents.js';
import type { ApiHandler } from './rest/api-handler.js';
import type { ResourceCatalog } from './rest/resource-catalog.js';

export interface AssemblyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly opened: OpenStorage;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
  readonly shutdown: Shutdown;
  readonly metrics: RequestMetrics;
  /** How often files that may change are read again; for tests. */
  readonly reloadMs?: number;
  /** Told of stored values that cannot be read (keys that are missing, say), which a view of its resource waits for. */
  readonly onUnreadable?: (error: StorageError) => void;
}

/** The server without its listener. */
export interface Assembly {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly extensions: ServerExtensions;
  /** The past and the forks, below paths of their own. */
  readonly clusters: LogicalClusters;
  readonly hooks: StartHookRunner;
  /** Tells the cluster that this replica goes; to be called before the signal aborts. */
  leave(signal: AbortSignal): Promise<void>;
  /** Resolves when everything that ran beside the requests has stopped. */
  stopped(): Promise<void>;
}

/** The first address of this machine that others can reach; what upstream advertises when bound to all. */
function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

export const advertisedAddress = ({ advertiseAddress, bindAddress }: ApiServerOptions): string =>
  advertiseAddress ?? (bindAddress === '0.0.0.0' ? hostAddress() : bindAddress);

/** The checks of each path, in upstream's order. */
function healthOf(
  { services, extensions }: ApiParts,
  hooks: StartHookRunner,
  { opened, shutdown }: AssemblyDeps,
): HealthChecks {
  const { options, clock, storage, metrics } = services;
  const etcd = (name: string, timeout: string): HealthCheck => ({
    name,
    check: () => within(clock, parseDuration(timeout) ?? 2000, () => storage.revision()),
  });
  const basic: HealthCheck[] = [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => (process.stderr.destroyed ? 'logging blocked' : undefined) },
    etcd('etcd', options.etcdHealthcheckTimeout),
  ];
  const ready: HealthCheck[] = [
    etcd('etcd-readiness', options.etcdReadycheckTimeout),
    {
      name: 'informer-sync',
      check: async () => {
        await opened.cached?.ready(1);
        return undefined;
      },
    },
  ];
  const started = [...hooks.checks(), ...(extensions.healthChecks ?? [])];
  const graceMs = parseDuration(options.livezGracePeriod) ?? 0;
  const checks = {
    healthz: [...basic, ...started],
    livez: [...basic, ...started.map((one) => afterGrace(one, clock, graceMs))],
    readyz: [...basic, ...ready, ...started, shutdown.check],
  };
  return new HealthChecks(checks, metrics);
}

/** What the live cluster runs beside its requests. */
class LiveWork {
  readonly running: Promise<void>[] = [];
  leave: Assembly['leave'] = () => Promise.resolve();

  hooks(options: ApiServerOptions, deps: AssemblyDeps, api: ApiParts): StartHookRunner {
    const own = ownStartHooks(api.services, {
      deps: api.storeDeps,
      catalog: api.catalog,
      kubernetesIp: firstServiceIp(options.serviceClusterIpRange),
      advertiseAddress: advertisedAddress(options),
      work: (work) => this.running.push(work),
      onLeave: (how) => {
        this.leave = how;
      },
    });
    return new StartHookRunner([...own, ...afterNamespaces(api.extensions.postStartHooks)], deps);
  }
}

/** The same extensions; who comes and what is decided is counted. */
function measured(
  extensions: ServerExtensions,
  { metrics, clock }: ServerServices,
): ServerExtensions {
  const { authenticator, authorizer } = extensions;
  return {
    ...extensions,
    authenticator: measuredAuthenticator(metrics, authenticator, clock),
    authorizer: measuredAuthorizer(metrics, authorizer, clock),
  };
}

/** What the server tells of itself beside its requests. */
function measure(
  options: ApiServerOptions,
  { metrics, opened, clock }: AssemblyDeps,
  { catalog, extensions }: ApiParts,
): void {
  metrics.know(({ group, version, resource, subresource }) => {
    const isRequest = extensions.requestKinds.some(
      ({ kind }) => kind.group === group && kind.version === version && kind.plural === resource,
    );
    if (!isRequest && !catalog.find(group, version, resource)) return false;
    return (
      ['', 'status', 'scale', 'finalize'].includes(subresource) ||
      extensions.subresources.some((known) => known.subresource === subresource)
    );
  });
  if (parseDuration(options.etcdCountMetricPollPeriod) !== 0)
    measureObjects(metrics.metrics, catalog, opened);
  measureFeatures(metrics.metrics);
  measureValidation(metrics.metrics);
  measureVersion(metrics.metrics);
  measureMetrics(metrics.metrics, options.disabledMetrics);
  const admin = new EtcdAdmin(opened.etcd.client);
  const size = new StorageSize(metrics.metrics, () => admin.statuses(), {
    clock,
    intervalMs: parseDuration(options.etcdDbMetricPollInterval) ?? 30_000,
  });
  metrics.beforeText(() => size.refresh());
}

/** Builds everything between the listener and etcd. */
export async function assemble(options: ApiServerOptions, deps: AssemblyDeps): Promise<Assembly> {
  const { metrics } = deps;
  const shared = {
    metrics,
    documents: new OpenApiDocuments(),
    address: `${advertisedAddress(options)}:${options.securePort}`,
  };
  const work = new LiveWork();
  let hooks = new StartHookRunner([], deps);
  const live = await assembleApi(options, {
    ...deps,
    ...shared,
    sent: new SentRevisions(),
    watching: (controller) => deps.shutdown.watching(controller),
    extend: async (services) =>
      measured(
        withHistory(await createExtensions(services), { services, etcd: deps.opened.etcd }),
        services,
      ),
    health: (api) => {
      hooks = work.hooks(options, deps, api);
      return healthOf(api, hooks, deps);
    },
  });
  const { handler, catalog, extensions } = live;
  measure(options, deps, live);
  const keeper = new HistoryKeeper(live.services, deps.opened.etcd, metrics);
  work.running.push(keeper.run(deps.signal));
  const sources = [
    pastClusters(options, { ...deps, ...shared, extensions }),
    forkClusters(options, { ...deps, ...shared }),
  ];
  const clusters = new LogicalClusters(sources, {
    ...deps,
    options,
    extensions,
    metrics,
    limitMs: parseDuration(options.requestTimeout) ?? 60_000,
  });
  return {
    handler,
    catalog,
    extensions,
    clusters,
    hooks,
    leave: (signal) => work.leave(signal),
    stopped: async () => {
      await Promise.all([clusters.close(), ...work.running]);
    },
  };
}
