import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, loadKubeconfig, restClientMetrics } from '@orrery/client';
import type { ConnectOptions, KubeClient } from '@orrery/client';
import {
  ConfigError,
  MAX_HEADER_BYTES,
  OpenSockets,
  SystemClock,
  SystemRandom,
  WITHOUT_SCHEMAS,
  createMetrics,
} from '@orrery/component';
import type { ComponentContext } from '@orrery/component';
import type { KubeletOptions } from './config/kubelet-options.js';
import { connectWatches } from './connect-watches.js';
import { withCredentials } from './credentials/with-credentials.js';
import { KubeletModule } from './kubelet.module.js';
import { Kubelet } from './kubelet.js';
import { CriRuntime } from './runtime/cri-runtime.js';
import { KubeletMetrics } from './metrics/kubelet-metrics.js';
import { countRequests } from './server/count-requests.js';
import { KubeletAuth } from './server/kubelet-auth.js';
import { HealthzServer } from './server/healthz-server.js';
import { StreamHandler } from './server/stream-handler.js';

const SERVER = {
  ...WITHOUT_SCHEMAS,
  forceCloseConnections: true,
  routerOptions: { maxParamLength: 512 },
} as const;

function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`--${flag}: cannot read ${path}`, { cause: error });
  }
}

function adapterOf({ tls }: KubeletOptions): FastifyAdapter {
  if (!tls) return new FastifyAdapter({ ...SERVER, http: { maxHeaderSize: MAX_HEADER_BYTES } });
  const https = {
    // A command's words are in the URL of an exec.
    maxHeaderSize: MAX_HEADER_BYTES,
    cert: readFlagFile('tls-cert-file', tls.certFile),
    key: readFlagFile('tls-private-key-file', tls.keyFile),
    ...(tls.clientCaFile
      ? { ca: readFlagFile('client-ca-file', tls.clientCaFile), requestCert: true }
      : {}),
    rejectUnauthorized: false,
  };
  return new FastifyAdapter({ ...SERVER, https });
}

function clientOf(
  { kubeconfig }: KubeletOptions,
  context: Pick<ConnectOptions, 'clock' | 'local' | 'observer'>,
): KubeClient {
  if (kubeconfig === undefined) throw new ConfigError('--kubeconfig is required');
  return connect({ ...loadKubeconfig(kubeconfig, { userAgent: 'kubelet' }), ...context });
}

async function listen(
  nest: NestFastifyApplication,
  { port, address }: KubeletOptions,
): Promise<void> {
  try {
    await nest.listen(port, address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new ConfigError(`--port: cannot listen on ${address}:${port} (${code})`, {
      cause: error,
    });
  }
}

/** Runs one kubelet until the signal aborts. */
export async function serve(
  given: KubeletOptions,
  { signal, clock = new SystemClock(), local }: ComponentContext,
): Promise<void> {
  const options = await withCredentials(given, clock, signal);
  const metrics = new KubeletMetrics(createMetrics({ process: true }));
  const observer = restClientMetrics(metrics.registry);
  const client = clientOf(options, { clock, local, observer });
  mkdirSync(options.paths.rootDir, { recursive: true });
  mkdirSync(options.paths.podLogsDir, { recursive: true });
  const runtime = new CriRuntime(options.runtimeEndpoint, metrics.runtime, clock);
  const kubelet = new Kubelet(options, {
    client,
    runtime,
    clock,
    random: new SystemRandom(),
    metrics,
  });
  const auth = new KubeletAuth(client, options.nodeName, clock);
  const nest = await NestFactory.create<NestFastifyApplication>(
    KubeletModule.with(kubelet, auth),
    adapterOf(options),
    {
      logger: false,
      abortOnError: false,
    },
  );
  countRequests(nest, kubelet);
  connectWatches(nest, kubelet, clock);
  const sockets = new OpenSockets(nest.getHttpServer() as Server);
  try {
    await kubelet.prepareStart();
    await nest.startAllMicroservices();
    await nest.init();
    if (options.tls) {
      new StreamHandler(kubelet, auth).attach(nest.getHttpServer() as Server);
      await listen(nest, options);
    }
    const { healthz } = options;
    await Promise.all([
      healthz && new HealthzServer(healthz, clock, kubelet.logger).serve(signal),
      kubelet.start(signal),
    ]);
  } finally {
    // Exec streams and followed logs end with the kubelet.
    sockets.end();
    await nest.close();
    runtime.close();
    await client.close();
  }
}
