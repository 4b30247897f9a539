import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { KindDescriptor } from '@orrery/api';
import type { Clock, Logger, Random } from '@orrery/component';
import { ConfigError, parseDuration } from '@orrery/component';
import { AdmissionChain } from '@orrery/registry';
import type { AdmissionPlugin, ResourceStore, ResourceStoreOptions, StoreDeps } from '@orrery/registry';
import { ApiServerModule } from './apiserver.module.js';
import type { ApiServerOptions } from './config/options.js';
import { openStorage } from './config/open-storage.js';
import { servingTls } from './config/tls.js';
import { Discovery } from './discovery/discovery.js';
import { createExtensions } from './extensions.js';
import type { ServerExtensions } from './extensions.js';
import { attachRequest } from './filters/attach-request.js';
import { HealthChecks } from './health/health-checks.js';
import type { HealthCheck } from './health/health-checks.js';
import { RequestMetrics } from './health/request-metrics.js';
import { ApiHandler } from './rest/api-handler.js';
import { ResourceCatalog } from './rest/resource-catalog.js';
import { serveUpgrades } from './rest/upgrade.js';

export interface ServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RunningServer {
  /** https://host:port */
  readonly address: string;
  close(): Promise<void>;
}

/** Largest request body (k8s apiserver pkg/server/config.go:MaxRequestBodyBytes). */
const BODY_LIMIT = 3 * 1024 * 1024;

/** Post-start hooks that have not finished keep the server from being ready. */
class StartHooks {
  private readonly pending = new Map<string, string>();

  constructor(private readonly logger: Logger) {}

  add(names: readonly string[]): void {
    for (const name of names) this.pending.set(name, 'not finished');
  }

  async run(hooks: ServerExtensions['postStartHooks']): Promise<void> {
    for (const hook of hooks) {
      try {
        await hook.run();
        this.pending.delete(hook.name);
      } catch (error) {
        this.pending.set(hook.name, error instanceof Error ? error.message : String(error));
        this.logger.error('post-start hook failed', error, { hook: hook.name });
      }
    }
  }

  checks(names: readonly string[]): HealthCheck[] {
    return names.map((name) => ({
      name: `poststarthook/${name}`,
      check: () => this.pending.get(name),
    }));
  }
}

function storeOptionsOf(options: ApiServerOptions): (kind: KindDescriptor) => ResourceStoreOptions {
  const ttlSeconds = Math.round((parseDuration(options.eventTtl) ?? 0) / 1000);
  return (kind) => (kind.kind === 'Event' && ttlSeconds > 0 ? { ttlSeconds } : {});
}

async function createApp(
  options: ApiServerOptions,
  deps: ServerDeps,
  parts: Parameters<typeof ApiServerModule.with>[0],
): Promise<NestFastifyApplication> {
  const { cert, key, ca } = servingTls(options, deps.clock.now());
  const adapter = new FastifyAdapter({
    https: { cert, key, ...(ca ? { ca } : {}), requestCert: true, rejectUnauthorized: false },
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096, ignoreDuplicateSlashes: true },
  } as ConstructorParameters<typeof FastifyAdapter>[0]);
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiServerModule.with(parts),
    adapter,
    { logger: false, abortOnError: false, bodyParser: false },
  );
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    attachRequest(request, reply, deps);
    done();
  });
  return app;
}

function bindFailure(options: ApiServerOptions, error: unknown): unknown {
  const { code } = error as { code?: string };
  const where = `${options.bindAddress}:${options.securePort}`;
  if (code === 'EADDRINUSE') {
    return new ConfigError(`${where} is in use by another program; choose another --secure-port`, {
      cause: error,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return new ConfigError(`cannot bind ${where}: ${code}`, { cause: error });
  return error;
}

/** Starts the API server; it serves when this resolves. */
export async function startServer(
  options: ApiServerOptions,
  deps: ServerDeps,
): Promise<RunningServer> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const opened = openStorage(options, { ...deps, signal });
  const plugins: AdmissionPlugin[] = [];
  const storeDeps: StoreDeps = {
    storage: opened.storage,
    clock: deps.clock,
    random: deps.random,
    admission: new AdmissionChain(plugins),
    keyPrefix: opened.keyPrefix,
    ...(options.clusterCidr ? { podCidr: options.clusterCidr } : {}),
    serviceCidr: options.serviceClusterIpRange,
  };
  const catalog = new ResourceCatalog(storeDeps, storeOptionsOf(options));
  const store = (group: string, version: string, plural: string): ResourceStore => {
    const found = catalog.find(group, version, plural);
    if (!found) throw new ConfigError(`no resource ${plural} in ${group}/${version}`);
    return found.store;
  };
  const services = { options, storage: opened.storage, ...deps, signal, store };
  const extensions = await createExtensions(services);
  plugins.push(...extensions.admission);
  const metrics = new RequestMetrics();
  const hooks = new StartHooks(deps.logger);
  const hookNames = extensions.postStartHooks.map(({ name }) => name);
  hooks.add(hookNames);
  const checks: HealthCheck[] = [
    { name: 'ping', check: () => undefined },
    {
      name: 'etcd',
      check: async () => {
        await opened.storage.revision();
        return undefined;
      },
    },
    ...hooks.checks(hookNames),
  ];
  const handler = new ApiHandler({
    catalog,
    extensions,
    metrics,
    discovery: new Discovery(
      catalog,
      extensions.subresources,
      `${options.advertiseAddress ?? options.bindAddress}:${options.securePort}`,
    ),
    health: new HealthChecks({ healthz: checks, livez: checks, readyz: checks }),
    watch: { ...deps, signal, minRequestTimeoutMs: options.minRequestTimeout * 1000 },
    paths: [],
  });
  const app = await createApp(options, deps, { options, ...deps, extensions, handler, metrics });
  serveUpgrades(app.getHttpServer(), { catalog, extensions, options, ...deps });
  try {
    await app.listen(options.securePort, options.bindAddress);
  } catch (error) {
    stopping.abort();
    await opened.close();
    throw bindFailure(options, error);
  }
  const bound = app.getHttpServer().address() as AddressInfo;
  void hooks.run(extensions.postStartHooks);
  return {
    address: `https://${options.bindAddress}:${bound.port}`,
    close: async () => {
      stopping.abort(new Error('the server is stopping'));
      await app.close();
      await opened.close();
    },
  };
}
