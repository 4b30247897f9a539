import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { ConfigError } from '../flags.js';
import { MAX_HEADER_BYTES } from '../http-limits.js';
import { createMetrics } from '../metrics.js';
import type { Metrics } from '../metrics.js';
import { OpenSockets } from '../open-sockets.js';
import { HealthChecks, PING, toHealthRequest } from './health-checks.js';
import type { HealthCheck, HealthEndpoint } from './health-checks.js';

/** Where a component answers its probes. */
export interface HealthOptions {
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Further pages of metrics, by path; looked up at each request. Default none. */
  readonly pages?: ReadonlyMap<string, Metrics>;
  /** What is looked at for each endpoint, at each request anew; default that the process answers. */
  readonly checks?: Readonly<Record<HealthEndpoint, readonly HealthCheck[]>>;
  readonly tls: HealthTls;
  /** What those are told who may not ask; undefined = they may. */
  readonly refusal: (request: IncomingMessage) => Promise<Refusal | undefined>;
}

/** A certificate, and of whom clients may show one. */
export interface HealthTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly ca: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

interface Refusal {
  readonly code: number;
  /** The body, JSON. */
  readonly status: object;
}

const answer = (response: ServerResponse, code: number, type: string, body: string): void => {
  response.writeHead(code, { 'content-type': type }).end(body);
};

/** Health and pages, with how checks ended at /metrics/slis (k8s component-base metrics/prometheus/slis). */
interface Pages extends Pick<HealthOptions, 'metrics' | 'pages' | 'refusal'> {
  readonly checks: HealthChecks;
  readonly slis: Metrics;
}

async function respond(
  { metrics, pages, refusal, checks, slis }: Pages,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refused = await refusal(request);
  if (refused) {
    answer(response, refused.code, 'application/json', `${JSON.stringify(refused.status)}\n`);
    return;
  }
  const { path, query } = toHealthRequest(request.url);
  const page = path === '/metrics' ? metrics : path === '/metrics/slis' ? slis : pages?.get(path);
  const health = page ? undefined : await checks.serve({ path, query });
  if (page) answer(response, 200, page.contentType, await page.text());
  else if (health)
    response
      .writeHead(health.status, { 'content-type': health.contentType, ...health.headers })
      .end(health.body);
  else answer(response, 404, 'text/plain', '404 page not found\n');
}

/** Serves /healthz, /readyz, /livez, /metrics and /metrics/slis over HTTPS until the signal aborts. */
export async function serveHealth(options: HealthOptions, signal: AbortSignal): Promise<Server> {
  const { address, port, tls } = options;
  const { cert, key, minVersion } = tls;
  const slis = createMetrics();
  const { healthz = PING, livez = PING, readyz = PING } = options.checks ?? {};
  const checks = new HealthChecks({ healthz, livez, readyz }, slis);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      cert,
      key,
      minVersion,
      ca: [...tls.ca],
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      respond({ ...options, checks, slis }, request, response).catch((error: unknown) => {
        answer(response, 500, 'text/plain', String(error));
      });
    },
  );
  const sockets = new OpenSockets(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new ConfigError(
          `--bind-address ${address} --secure-port ${port}: ${cause.code === 'EADDRINUSE' ? 'is in use' : cause.message}`,
          { cause },
        ),
      );
    });
    server.listen(port, address, resolve);
  });
  const close = (): void => {
    server.close();
    sockets.end();
  };
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
  return server;
}
