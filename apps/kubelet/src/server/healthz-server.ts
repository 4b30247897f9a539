import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { HealthChecks, OpenSockets, PING, toHealthRequest } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';

/** How often it is tried to listen (k8s cmd/kubelet/app/server.go:run). */
const RETRY_MS = 5_000;

export interface HealthzAddress {
  readonly host: string;
  readonly port: number;
}

/** /healthz over plain HTTP for those on the node: that the kubelet answers, no more (k8s cmd/kubelet/app/server.go:run). */
export class HealthzServer {
  private readonly server: Server;
  private readonly sockets: OpenSockets;

  constructor(
    private readonly at: HealthzAddress,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    const checks = new HealthChecks({ healthz: PING });
    this.server = createServer((request, response) => {
      void checks.serve(toHealthRequest(request.url)).then((found) => {
        const { status, contentType, headers, body } = found ?? NOT_FOUND;
        response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);
      });
    });
    this.sockets = new OpenSockets(this.server);
  }

  /** Listens until the signal aborts; a taken port is told of and tried again. */
  async serve(signal: AbortSignal): Promise<void> {
    const { host, port } = this.at;
    while (!signal.aborted && !(await this.listen())) {
      this.logger.error('Failed to start healthz server', { address: `${host}:${port}` });
      await this.clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
    if (signal.aborted) this.close();
    else
      signal.addEventListener(
        'abort',
        () => {
          this.close();
        },
        { once: true },
      );
  }

  private listen(): Promise<boolean> {
    const { host, port } = this.at;
    return new Promise((resolve) => {
      this.server.once('error', () => {
        resolve(false);
      });
      this.server.listen(port, host, () => {
        resolve(true);
      });
    });
  }

  private close(): void {
    this.server.close();
    this.sockets.end();
  }
}

const NOT_FOUND = {
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  headers: {},
  body: '404 page not found\n',
};
