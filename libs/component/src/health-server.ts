import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { ConfigError } from './flags.js';
import type { Metrics } from './metrics.js';
import { OpenSockets } from './open-sockets.js';

/** Where a component answers its probes. */
export interface HealthOptions {
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Further pages of metrics, by path; looked up at each request. Default none. */
  readonly pages?: ReadonlyMap<string, Metrics>;
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

async function respond(
  { metrics, pages, refusal }: HealthOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refused = await refusal(request);
  if (refused) {
    answer(response, refused.code, 'application/json', `${JSON.stringify(refused.status)}\n`);
    return;
  }
  const path = (request.url ?? '').split('?')[0] ?? '';
  const page = path === '/metrics' ? metrics : pages?.get(path);
  if (page) answer(response, 200, page.contentType, await page.text());
  else if (path === '/healthz' || path === '/livez' || path === '/readyz')
    answer(response, 200, 'text/plain', 'ok');
  else answer(response, 404, 'text/plain', '404 page not found\n');
}

/** Serves /healthz, /readyz, /livez and /metrics over HTTPS until the signal aborts. */
export async function serveHealth(options: HealthOptions, signal: AbortSignal): Promise<Server> {
  const { address, port, tls } = options;
  const { cert, key, minVersion } = tls;
  const server = createServer(
    { cert, key, minVersion, ca: [...tls.ca], requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      respond(options, request, response).catch((error: unknown) => {
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
