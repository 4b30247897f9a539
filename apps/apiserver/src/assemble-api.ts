import type { StorageError } from '@orrery/storage';
import type { KindDescriptor } from '@orrery/api';
import type { Clock, HealthChecks, Logger, Random } from '@orrery/component';
import { ConfigError, parseDuration } from '@orrery/component';
import { AdmissionChain, ServiceAllocation, namespaceHooks } from '@orrery/registry';
import type { AdmissionPlugin, ResourceStoreOptions, StoreDeps } from '@orrery/registry';
import { AdmissionMetrics } from './admission/admission-metrics.js';
import { componentProbes } from './component-status/component-probes.js';
import { ComponentStatusStorage } from './component-status/component-status-storage.js';
import type { OpenStorage } from './config/open-storage.js';
import type { ApiServerOptions } from './config/options.js';
import { conversionStorage } from './custom-resources/conversion/conversion-storage.js';
import { definitionHooks } from './custom-resources/definition-conditions.js';
import { Discovery } from './discovery/discovery.js';
import type { ServerExtensions, ServerServices } from './extensions.js';
import type { SentRevisions } from './history/sent-revisions.js';
import type { RequestMetrics } from './health/request-metrics.js';
import type { OpenApiDocuments } from './openapi/openapi-documents.js';
import { ZPages } from './health/z-pages.js';
import { OpenApi } from './openapi/openapi.js';
import { ApiHandler } from './rest/api-handler.js';
import { ResourceCatalog } from './rest/resource-catalog.js';
import { servedApis } from './removed-apis/served-apis.js';

export interface ApiAssemblyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly opened: Pick<OpenStorage, 'storage' | 'keyPrefix'>;
  /** How often files that may change are read again; for tests. */
  readonly reloadMs?: number;
  /** Told of stored values that cannot be read (keys that are missing, say), which a view of its resource waits for. */
  readonly onUnreadable?: (error: StorageError) => void;
  /** Aborts when the API ends: its watches end, and whatever its extensions run beside the requests. */
  readonly signal: AbortSignal;
  readonly metrics: RequestMetrics;
  /** Shared by all APIs of a server, so that each document is made once. */
  readonly documents: OpenApiDocuments;
  /** The API can only be read. Default false. */
  readonly isReadOnly?: boolean;
  /** Names a logical cluster in its continue tokens; absent = the live one. */
  readonly cluster?: string;
  /** Told of each watch, so that they can be ended one by one. */
  readonly watching?: (controller: AbortController) => () => void;
  /** Counts what clients are sent; the live cluster's alone. */
  readonly sent?: SentRevisions;
  /** host:port, as discovery tells it. */
  readonly address: string;
  /** What plugs into the request chain; `createExtensions` for a cluster with rules of its own. */
  extend(services: ServerServices): Promise<ServerExtensions>;
  health(api: ApiParts): HealthChecks;
}

/** What an API is made of below its handler. */
export interface ApiParts {
  readonly services: ServerServices;
  readonly storeDeps: StoreDeps;
  readonly catalog: ResourceCatalog;
  readonly extensions: ServerExtensions;
}

export interface ApiAssembly extends ApiParts {
  readonly handler: ApiHandler;
}

function storeOptionsOf(
  options: ApiServerOptions,
  deps: StoreDeps,
): (kind: KindDescriptor) => ResourceStoreOptions {
  const ttlSeconds = Math.round((parseDuration(options.eventTtl) ?? 0) / 1000);
  const services = new ServiceAllocation(deps, {
    serviceCidr: options.serviceClusterIpRange,
    nodePorts: options.serviceNodePortRange,
  });
  const componentStatuses = new ComponentStatusStorage(
    deps.storage,
    `${deps.keyPrefix}componentstatuses/`,
    componentProbes(options, deps.storage),
  );
  return ({ group, kind }) => {
    if (kind === 'Event') return { ttlSeconds };
    if (group === '' && kind === 'Service') return { hooks: services };
    if (group === '' && kind === 'Namespace') return { hooks: namespaceHooks };
    if (kind === 'CustomResourceDefinition') return { hooks: definitionHooks };
    if (kind === 'ComponentStatus') return { storage: componentStatuses };
    return {};
  };
}

function storeDepsOf(
  options: ApiServerOptions,
  { opened, clock, random, cluster, metrics }: ApiAssemblyDeps,
  plugins: readonly AdmissionPlugin[],
): StoreDeps {
  return {
    storage: opened.storage,
    clock,
    random,
    admission: new AdmissionChain(plugins, new AdmissionMetrics(metrics.metrics, clock).observer()),
    keyPrefix: opened.keyPrefix,
    deletionsAtOnce: options.deleteCollectionWorkers,
    ...(cluster === undefined ? {} : { cluster }),
    ...(options.clusterCidr ? { podCidr: options.clusterCidr } : {}),
    serviceCidr: options.serviceClusterIpRange,
    servesRemovedApis: options.serveRemovedApis,
  };
}

/**
 * One API over one storage, without what belongs to the server's process (listener, start hooks, replicas): the live
 * cluster, and each logical cluster. Costs what `extend` costs; schemas, kinds and documents are shared.
 */
export async function assembleApi(
  options: ApiServerOptions,
  deps: ApiAssemblyDeps,
): Promise<ApiAssembly> {
  const { opened, clock, random, logger, signal, metrics } = deps;
  const plugins: AdmissionPlugin[] = [];
  const storeDeps = storeDepsOf(options, deps, plugins);
  const catalog = new ResourceCatalog(
    storeDeps,
    storeOptionsOf(options, storeDeps),
    servedApis(options),
    deps.isReadOnly,
  );
  const services: ServerServices = {
    options,
    storage: opened.storage,
    clock,
    metrics: metrics.metrics,
    random,
    logger,
    signal,
    ...(deps.reloadMs === undefined ? {} : { reloadMs: deps.reloadMs }),
    ...(deps.onUnreadable ? { onUnreadable: deps.onUnreadable } : {}),
    kinds: () => catalog.all().map(({ kind }) => kind),
    store: (group, version, plural) => {
      const found = catalog.find(group, version, plural);
      if (!found) throw new ConfigError(`no resource ${plural} in ${group}/${version}`);
      return found.store;
    },
  };
  catalog.convertWith(conversionStorage(services));
  const extensions = await deps.extend(services);
  plugins.push(...extensions.admission);
  const parts: ApiParts = { services, storeDeps, catalog, extensions };
  const handler: ApiHandler = new ApiHandler({
    catalog,
    extensions,
    metrics,
    disabledMetrics: options.disabledMetrics,
    discovery: new Discovery(catalog, extensions, deps.address),
    health: deps.health(parts),
    watch: {
      clock,
      random,
      signal,
      metrics,
      minRequestTimeoutMs: options.minRequestTimeout * 1000,
      ...(extensions.faults ? { faults: extensions.faults } : {}),
      ...(deps.watching ? { watching: deps.watching } : {}),
      ...(deps.sent ? { sent: deps.sent } : {}),
    },
    paths: [
      new OpenApi(catalog, deps.documents, extensions.aggregator?.discovery),
      new ZPages(options, clock, () => handler.listed()),
    ],
  });
  return { ...parts, handler };
}
