import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import {
  ConfigError,
  HealthChecks,
  PING,
  createMetrics,
  joinHostPort,
  toHealthRequest,
} from '@orrery/component';
import type { Clock, HealthRequest, Logger, Metrics } from '@orrery/component';
import type { KubeProxyConfiguration } from '../config/kube-proxy-configuration.js';
import type { ProxyMetrics } from '../metrics/proxy-metrics.js';

const HEALTHZ_PORT = 10_256;
const METRICS_PORT = 10_249;
/** Changes may wait this long before kube-proxy calls itself unhealthy. */
const PATIENCE_MS = 60_000;

/** What the health endpoints tell. */
export interface HealthState {
  readonly mode: () => string;
  /** How long changes have been waiting to be programmed. */
  readonly waitingMs: () => number;
  readonly lastUpdated: () => number;
  readonly isNodeEligible: () => boolean;
  /** The families that are programmed, all at once. */
  readonly families: () => readonly string[];
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
}

export const isHealthy = (state: HealthState): boolean => state.waitingMs() < PATIENCE_MS;

type Answer = { readonly code: number; readonly type: string; readonly body: string };

const text = (code: number, body: string): Answer => ({
  code,
  type: 'text/plain; charset=utf-8',
  body,
});

/** Go's zero time: nothing has been programmed yet. */
const NEVER = '0001-01-01T00:00:00Z';
const timeText = (ms: number): string => (ms === 0 ? NEVER : new Date(ms).toISOString());

/**
 * k8s pkg/proxy/healthcheck/proxy_health.go: /healthz is for load balancers, /livez for the kubelet. A well proxy says
 * that it was updated now; `status` tells when it truly was.
 */
function health(state: HealthState, path: '/healthz' | '/livez'): Answer {
  const healthy = isHealthy(state);
  const nodeEligible = state.isNodeEligible();
  const isWell = healthy && (path === '/livez' || nodeEligible);
  const code = isWell ? 200 : 503;
  state.metrics.probed(path === '/healthz' ? 'healthz' : 'livez', code);
  const updated = state.lastUpdated();
  const now = state.clock.now();
  const status = Object.fromEntries(
    state.families().map((family) => [family, { lastUpdated: timeText(updated), healthy }]),
  );
  const body = {
    lastUpdated: timeText(isWell ? now : updated),
    currentTime: timeText(now),
    ...(path === '/healthz' ? { nodeEligible } : {}),
    healthy,
    ...(updated === 0 ? {} : { status }),
  };
  return { code, type: 'application/json', body: JSON.stringify(body) };
}

/** What is checked at the port of metrics, and how it ended (k8s component-base metrics/prometheus/slis). */
class MetricsChecks {
  readonly slis = createMetrics();
  private readonly checks = new HealthChecks({ healthz: PING }, this.slis);

  async answer(request: HealthRequest): Promise<Answer | undefined> {
    const found = await this.checks.serve(request);
    return found && { code: found.status, type: found.contentType, body: found.body };
  }
}

const page = async (metrics: Pick<Metrics, 'text' | 'contentType'>): Promise<Answer> => ({
  code: 200,
  type: metrics.contentType,
  body: await metrics.text(),
});

async function answerMetrics(
  state: HealthState,
  checks: MetricsChecks,
  request: HealthRequest,
): Promise<Answer> {
  switch (request.path) {
    case '/proxyMode':
      return text(200, state.mode());
    case '/metrics':
      return page(state.metrics);
    case '/metrics/slis':
      return page(checks.slis);
    default:
      return (await checks.answer(request)) ?? text(404, '404 page not found\n');
  }
}

function answerHealth(state: HealthState, { path }: HealthRequest): Promise<Answer> {
  if (path === '/healthz' || path === '/livez') return Promise.resolve(health(state, path));
  return Promise.resolve(text(404, '404 page not found\n'));
}

/** The address of a server: of this node where the configuration names none or all of them. */
export function bindTo(
  configured: string | undefined,
  nodeAddress: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } {
  const value = configured ?? '';
  const at = isIP(value) !== 0 ? -1 : value.lastIndexOf(':');
  const host = (at < 0 ? value : value.slice(0, at)).replaceAll(/[[\]]/g, '');
  const isUnspecified = ['', '0.0.0.0', '::'].includes(host);
  return {
    host: isUnspecified ? nodeAddress : host,
    port: at < 0 ? defaultPort : Number(value.slice(at + 1)),
  };
}

function listen(
  { host, port }: { readonly host: string; readonly port: number },
  answer: (request: HealthRequest) => Promise<Answer>,
): Promise<Server> {
  const server = createServer((request, response) => {
    answer(toHealthRequest(request.url)).then(
      ({ code, type, body }) => {
        response
          .writeHead(code, { 'content-type': type, 'x-content-type-options': 'nosniff' })
          .end(body);
      },
      (error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
      },
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      resolve(server);
    });
  });
}

/** The servers of healthzBindAddress and metricsBindAddress, on the node's own address unless they say another. */
export class HealthServers {
  private readonly servers: Server[] = [];

  constructor(
    private readonly config: KubeProxyConfiguration,
    private readonly state: HealthState,
    private readonly logger: Logger,
  ) {}

  /** Throws ConfigError when a port is taken and `bindAddressHardFail` is set. */
  async start(nodeAddress: string): Promise<void> {
    const { healthzBindAddress, metricsBindAddress } = this.config;
    const healthz = bindTo(healthzBindAddress, nodeAddress, HEALTHZ_PORT);
    const metrics = bindTo(metricsBindAddress, nodeAddress, METRICS_PORT);
    const checks = new MetricsChecks();
    await this.listen('healthz', healthz, (request) => answerHealth(this.state, request));
    await this.listen('metrics', metrics, (request) => answerMetrics(this.state, checks, request));
  }

  close(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  private async listen(
    name: string,
    place: { readonly host: string; readonly port: number },
    answer: (request: HealthRequest) => Promise<Answer>,
  ): Promise<void> {
    try {
      this.servers.push(await listen(place, answer));
    } catch (error) {
      const address = joinHostPort(place.host, place.port);
      if (this.config.bindAddressHardFail)
        throw new ConfigError(`failed to start ${name} server on ${address}`, { cause: error });
      this.logger.error(`${name} server cannot listen`, error, { address });
    }
  }
}
