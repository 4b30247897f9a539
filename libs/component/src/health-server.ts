import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { ConfigError } from './flags.js';
import type { Metrics } from './metrics.js';

/** Where a component answers its probes. */
export interface HealthOptions {
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics;
}

const answer = (response: ServerResponse, code: number, type: string, body: string): void => {
  response.writeHead(code, { 'content-type': type }).end(body);
};

/** Serves /healthz, /readyz, /livez and /metrics over HTTP until the signal aborts. */
export async function serveHealth(options: HealthOptions, signal: AbortSignal): Promise<void> {
  const { address, port, metrics } = options;
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/metrics')
      metrics.text().then(
        (text) => {
          answer(response, 200, metrics.contentType, text);
        },
        (error: unknown) => {
          answer(response, 500, 'text/plain', String(error));
        },
      );
    else if (path === '/healthz' || path === '/livez' || path === '/readyz')
      answer(response, 200, 'text/plain', 'ok');
    else answer(response, 404, 'text/plain', '404 page not found\n');
  });
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
  signal.addEventListener(
    'abort',
    () => {
      server.closeAllConnections();
      server.close();
    },
    { once: true },
  );
}
