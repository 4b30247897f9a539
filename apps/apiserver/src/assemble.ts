import { networkInterfaces } from 'node:os';
import type { KindDescriptor } from '@orrery/api';
import type { Clock, Logger, Random } from '@orrery/component';
import { ConfigError, parseDuration } from '@orrery/component';
import {
  AdmissionChain,
  ServiceAllocation,
  firstServiceIp,
  namespaceHooks,
} from '@orrery/registry';
import type { AdmissionPlugin, ResourceStoreOptions, StoreDeps } from '@orrery/registry';
import { StartHookRunner } from './bootstrap/start-hook-runner.js';
import { ownStartHooks } from './bootstrap/start-hooks.js';
import type { OpenStorage } from './config/open-storage.js';
import type { ApiServerOptions } from './config/options.js';
import { definitionHooks } from './custom-resources/definition-hooks.js';
import { Discovery } from './discovery/discovery.js';
import { createExtensions } from './extensions.js';
import type { ServerExtensions, ServerServices } from './extensions.js';
import { HealthChecks } from './health/health-checks.js';
import type { HealthCheck } from './health/health-checks.js';
import { RequestMetrics } from './health/request-metrics.js';
import { ApiHandler } from './rest/api-handler.js';
import { OpenApi } from './openapi/openapi.js';
import { ResourceCatalog } from './rest/resource-catalog.js';

export interface AssemblyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly opened: OpenStorage;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/** The server without its listener. */
export interface Assembly {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly extensions: ServerExtensions;
  readonly metrics: RequestMetrics;
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

function storeOptionsOf(
  options: ApiServerOptions,
  deps: StoreDeps,
): (kind: KindDescriptor) => ResourceStoreOptions {
  const ttlSeconds = Math.round((parseDuration(options.eventTtl) ?? 0) / 1000);
  const services = new ServiceAllocation(deps, {
    serviceCidr: options.serviceClusterIpRange,
    nodePorts: options.serviceNodePortRange,
  });
  return ({ group, kind }) => {
    if (kind === 'Event') return { ttlSeconds };
    if (group === '' && kind === 'Service') return { hooks: services };
    if (group === '' && kind === 'Namespace') return { hooks: namespaceHooks };
    if (kind === 'CustomResourceDefinition') return { hooks: definitionHooks };
    return {};
  };
}

function storeDepsOf(
  options: ApiServerOptions,
  { opened, clock, random }: AssemblyDeps,
  plugins: readonly AdmissionPlugin[],
): StoreDeps {
  return {
    storage: opened.storage,
    clock,
    random,
    admission: new AdmissionChain(plugins),
    keyPrefix: opened.keyPrefix,
    ...(options.clusterCidr ? { podCidr: options.clusterCidr } : {}),
    serviceCidr: options.serviceClusterIpRange,
  };
}

function healthOf(services: ServerServices, hooks: StartHookRunner): HealthChecks {
  const live: HealthCheck[] = [
    { name: 'ping', check: () => undefined },
    {
      name: 'etcd',
      check: async () => {
        await services.storage.revision();
        return undefined;
      },
    },
    ...hooks.checks(),
  ];
  const shutdown: HealthCheck = {
    name: 'shutdown',
    check: () => (services.signal.aborted ? 'process is shutting down' : undefined),
  };
  return new HealthChecks({ healthz: live, livez: live, readyz: [...live, shutdown] });
}

/** Builds everything between the listener and etcd. */
export async function assemble(options: ApiServerOptions, deps: AssemblyDeps): Promise<Assembly> {
  const { opened, ...own } = deps;
  const plugins: AdmissionPlugin[] = [];
  const storeDeps = storeDepsOf(options, deps, plugins);
  const catalog = new ResourceCatalog(storeDeps, storeOptionsOf(options, storeDeps));
  const services: ServerServices = {
    options,
    storage: opened.storage,
    ...own,
    kinds: () => catalog.all().map(({ kind }) => kind),
    store: (group, version, plural) => {
      const found = catalog.find(group, version, plural);
      if (!found) throw new ConfigError(`no resource ${plural} in ${group}/${version}`);
      return found.store;
    },
  };
  const extensions = await createExtensions(services);
  plugins.push(...extensions.admission);
  const running: Promise<void>[] = [];
  let leave: Assembly['leave'] = () => Promise.resolve();
  const hooks = new StartHookRunner(
    [
      ...ownStartHooks(services, {
        deps: storeDeps,
        catalog,
        kubernetesIp: firstServiceIp(options.serviceClusterIpRange),
        advertiseAddress: advertisedAddress(options),
        work: (work) => running.push(work),
        onLeave: (how) => {
          leave = how;
        },
      }),
      ...extensions.postStartHooks,
    ],
    deps,
  );
  const metrics = new RequestMetrics();
  const address = `${advertisedAddress(options)}:${options.securePort}`;
  const handler = new ApiHandler({
    catalog,
    extensions,
    metrics,
    discovery: new Discovery(catalog, extensions.subresources, address),
    health: healthOf(services, hooks),
    watch: { ...own, minRequestTimeoutMs: options.minRequestTimeout * 1000 },
    paths: [new OpenApi(catalog)],
  });
  return {
    handler,
    catalog,
    extensions,
    metrics,
    hooks,
    leave: (signal) => leave(signal),
    stopped: async () => {
      await Promise.all(running);
    },
  };
}
