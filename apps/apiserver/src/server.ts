import { setMaxListeners } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Clock, LocalServers, Logger, Random } from '@orrery/component';
import { ConfigError, ResponseOrder, WITHOUT_SCHEMAS, parseDuration } from '@orrery/component';
import { ApiServerModule } from './apiserver.module.js';
import type { ApiServerParts } from './apiserver.module.js';
import { assemble } from './assemble.js';
import type { Assembly } from './assemble.js';
import { Drain } from './bootstrap/drain.js';
import { Shutdown } from './bootstrap/shutdown.js';
import { StartTrouble } from './bootstrap/start-trouble.js';
import { checkOptions } from './config/check-options.js';
import type { ApiServerOptions } from './config/options.js';
import { openStorage } from './config/open-storage.js';
import type { OpenStorage } from './config/open-storage.js';
import { ServingFiles } from './config/reload-tls.js';
import { servingTls } from './config/tls.js';
import type { Audit } from './audit/audit.js';
import { createAudit } from './audit/create-audit.js';
import { createEncryption } from './encryption/create-encryption.js';
import type { ApiRequest } from './filters/api-request.js';
import { attachRequest } from './filters/attach-request.js';
import { ResourceRequests } from './filters/resource-requests.js';
import { RequestMetrics } from './health/request-metrics.js';
import { measureHandshakes, measureNoAudit } from './health/server-metrics.js';
import { KeyResources } from './health/key-resources.js';
import { EtcdMetrics } from './health/storage-metrics.js';
import { WatchCacheMetrics } from './health/watch-cache-metrics.js';
import { LocalRequests } from './local/local-requests.js';
import type { LogicalClusters } from './logical-clusters/logical-clusters.js';
import { serveUpgrades } from './rest/upgrade.js';
import { addAnswerHeaders } from './transport/cross-origin.js';
import { BodyIntake } from './transport/body-intake.js';
import type { ApiReply } from './transport/api-reply.js';
import { DirectRequests } from './transport/direct-requests.js';
import type { RequestSource } from './transport/direct-requests.js';
import { HTTP1_LIMITS, refuseMalformed } from './transport/http1-limits.js';
import { Http2Connections } from './transport/http2-connections.js';

export interface ServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How often files that may change are read again; for tests. */
  readonly reloadMs?: number;
  /** Where clients of the same process find this server. */
  readonly local?: LocalServers;
}

export interface RunningServer {
  /** https://host:port */
  readonly address: string;
  /** Resolves when everything that /readyz waits for is done. */
  readonly started: Promise<void>;
  close(): Promise<void>;
}

/** Largest request body (k8s apiserver pkg/server/config.go:MaxRequestBodyBytes). */
const BODY_LIMIT = 3 * 1024 * 1024;

const ignore = (): void => undefined;

/**
 * At its start Nest looks for the packages of transports that this server does not have, and loads whatever it finds
 * on the machine, which would cost more than the rest of the start. What it has found already it does not look for.
 */
function withoutTransports(app: NestFastifyApplication): void {
  const none = { register: ignore, setupClients: ignore, close: ignore };
  // The application is a proxy that takes no assignments.
  for (const name of ['microservicesModule', 'socketModule'])
    Object.defineProperty(app, name, { value: none, writable: true, configurable: true });
}

async function createApp(
  options: ApiServerOptions,
  deps: ServerDeps & {
    readonly audit?: Audit;
    readonly shutdown: Shutdown;
    readonly signal: AbortSignal;
  },
  parts: ApiServerParts & { readonly clusters: LogicalClusters },
): Promise<{ app: NestFastifyApplication; direct: DirectRequests; local: LocalRequests }> {
  const limitMs = parseDuration(options.requestTimeout) ?? 60_000;
  const resources = new ResourceRequests({ ...parts, limitMs });
  const { clusters } = parts;
  const tls = await servingTls(options, deps.clock.now());
  const files = new ServingFiles(options);
  const adapter = new FastifyAdapter({
    https: {
      ...tls,
      SNICallback: files.sniCallback,
      requestCert: true,
      rejectUnauthorized: false,
      ...HTTP1_LIMITS,
      ALPNProtocols: options.disableHttp2Serving ? ['http/1.1'] : ['h2', 'http/1.1'],
    },
    ...WITHOUT_SCHEMAS,
    bodyLimit: BODY_LIMIT,
    clientErrorHandler: ignore,
    // Drain ends the connections: this would cut answers short.
    forceCloseConnections: false,
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
  const intake = new BodyIntake({ ...parts, anonymous: options, limitMs });
  fastify.addHook('onRequest', (request, reply, done) => {
    nameBodyType(request);
    intake.take(attachRequest(request, reply, deps), done);
  });
  fastify.addHook('preHandler', ({ api }, _reply, done) => {
    const path = api && !api.info.isResource ? clusters.find(api.path) : undefined;
    if (api && path) void clusters.serve(api, path);
    else if (api && resources.takes(api)) void resources.serve(api);
    else done();
  });
  withoutTransports(app);
  const server = app.getHttpServer() as Server;
  void files.follow(server, deps);
  const attach = (source: RequestSource, reply: ApiReply): ApiRequest =>
    attachRequest(source, reply, deps);
  const direct = new DirectRequests(server, { attach, intake, resources });
  const isDraining = (): boolean => deps.shutdown.isDraining;
  return { app, direct, local: new LocalRequests({ attach, resources, isDraining }) };
}

/**
 * In HTTP/2 neither length nor encoding tells of a body, and Fastify leaves one without a type unread. Without a type it
 * is JSON, but for patches (k8s apiserver pkg/endpoints/handlers/negotiation:NegotiateInputSerializerForMediaType).
 */
function nameBodyType({ raw, method }: FastifyRequest): void {
  // As if it were not there; Fastify takes it for a type that is none.
  if (raw.headers['content-type'] === '') delete raw.headers['content-type'];
  const mayHaveBody = raw.httpVersionMajor > 1 && ['POST', 'PUT', 'DELETE'].includes(method);
  if (mayHaveBody) raw.headers['content-type'] ??= 'application/json';
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

/** Longest time that leaving the cluster may hold up the end. */
const LEAVE_MS = 300;

async function leave(assembly: Assembly, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const cancel = clock.after(LEAVE_MS, () => {
    patience.abort(new Error('the server cannot wait any longer'));
  });
  await assembly.leave(patience.signal);
  cancel();
}

/** What `work` gives; rejects when the signal aborts before. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(new Error('stopped while it started', { cause: signal.reason }));
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const settled = (): void => {
      signal.removeEventListener('abort', giveUp);
    };
    work.then(resolve, reject).then(settled, settled);
  });
}

interface Listening {
  readonly app: NestFastifyApplication;
  readonly direct: DirectRequests;
  readonly local: LocalRequests;
  readonly drain: Drain;
  readonly server: Server;
}

/** The listener with everything that stands between it and the request chain; it does not listen yet. */
async function createListener(
  options: ApiServerOptions,
  deps: ServerDeps & {
    readonly audit?: Audit;
    readonly shutdown: Shutdown;
    readonly signal: AbortSignal;
  },
  assembly: Assembly,
  metrics: RequestMetrics,
): Promise<Listening> {
  const { handler, extensions, catalog, clusters } = assembly;
  const parts = { options, ...deps, extensions, handler, metrics, clusters };
  const { app, direct, local } = await createApp(options, deps, parts);
  const server = app.getHttpServer() as Server;
  const http2 = new Http2Connections(
    server,
    { maxStreams: options.http2MaxStreamsPerConnection, goawayChance: options.goawayChance },
    deps,
  );
  addAnswerHeaders(server, {
    origins: options.corsAllowedOrigins,
    transportSecurity: options.strictTransportSecurityDirectives,
  });
  measureHandshakes(metrics.metrics, server);
  deps.shutdown.guard(server);
  const order = new ResponseOrder(server);
  server.on('clientError', (error, socket) => {
    refuseMalformed(error, socket as Socket, order);
  });
  const drain = new Drain(server, http2, deps.clock, order);
  serveUpgrades(server, { catalog, extensions, clusters, options, order, ...deps });
  return { app, direct, local, drain, server };
}

async function listen(app: NestFastifyApplication, options: ApiServerOptions): Promise<void> {
  const { securePort: port, bindAddress: host, permitPortSharing: reusePort } = options;
  const where = { port, host, reusePort };
  await app.listen(where);
}

/** The storage; what is asked of it is counted, and what is encrypted. */
function openMeasured(
  options: ApiServerOptions,
  deps: ServerDeps & { readonly signal: AbortSignal },
  { metrics }: RequestMetrics,
): { opened: OpenStorage; resources: KeyResources } {
  const keyPrefix = `${options.etcdPrefix.replace(/\/+$/, '')}/`;
  const resources = new KeyResources(keyPrefix);
  const calls = new EtcdMetrics(metrics, resources);
  const watchCache = new WatchCacheMetrics(metrics, resources);
  const onCall: EtcdMetrics['called'] = (...call) => {
    calls.called(...call);
  };
  const encryption = createEncryption(options, keyPrefix, { ...deps, metrics });
  const opened = openStorage(options, { ...deps, onCall, encryption, watchCache });
  return { opened, resources };
}

/** Starts the API server; it serves when this resolves. Rejects when `stop` aborts while it waits for etcd. */
export async function startServer(
  options: ApiServerOptions,
  deps: ServerDeps,
  stop: AbortSignal = new AbortController().signal,
): Promise<RunningServer> {
  checkOptions(options);
  const stopping = new AbortController();
  const shutdown = new Shutdown(options, deps);
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const audit = createAudit(options, deps);
  const metrics = new RequestMetrics();
  const { opened, resources } = openMeasured(options, { ...deps, signal }, metrics);
  let assembly: Assembly;
  try {
    const trouble = new StartTrouble();
    const { onUnreadable } = trouble;
    const parts = { ...deps, opened, signal, shutdown, metrics, onUnreadable };
    const assembling = assemble(options, parts);
    assembly = await unlessAborted(trouble.within(assembling, options, deps.clock), stop);
  } catch (error) {
    stopping.abort(error);
    await opened.close();
    throw error;
  }
  resources.know(() => assembly.catalog.all().map(({ kind }) => kind));
  if (audit) audit.measure(metrics.metrics);
  else measureNoAudit(metrics.metrics);
  const listenerDeps = { ...deps, shutdown, signal, ...(audit ? { audit } : {}) };
  const listener = await createListener(options, listenerDeps, assembly, metrics);
  const { app, direct, local, drain, server } = listener;
  try {
    await listen(app, options);
  } catch (error) {
    stopping.abort();
    await opened.close();
    throw bindFailure(options, error);
  }
  const bound = server.address() as AddressInfo;
  const origin = `https://${options.bindAddress}:${bound.port}`;
  const withdraw = deps.local?.offer(origin, local);
  const starting = assembly.hooks.run();
  return {
    address: origin,
    started: starting,
    close: async () => {
      await shutdown.run(() => leave(assembly, deps.clock));
      stopping.abort(new Error('the server is stopping'));
      direct.end();
      withdraw?.();
      await local.end();
      await drain.until(app.close());
      await audit?.close();
      await starting;
      await assembly.stopped();
      await opened.close();
    },
  };
}
