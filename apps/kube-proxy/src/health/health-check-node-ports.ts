import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { Logger } from '@orrery/component';
import type { ActionRecorder } from '@orrery/controller';

/** What the health check node port of one service answers. */
export interface ServiceHealth {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly localEndpoints: number;
}

export interface HealthCheckOptions {
  readonly isProxyHealthy: () => boolean;
  readonly nodeName: string;
  readonly events: ActionRecorder;
  readonly logger: Logger;
}

interface Entry {
  health: ServiceHealth;
  readonly servers: readonly Server[];
}

const wantsSamePlace = (a: ServiceHealth, b: ServiceHealth): boolean =>
  a.port === b.port && a.addresses.join() === b.addresses.join();

/**
 * Answers load balancers at `healthCheckNodePort` whether this node has endpoints of a service with
 * externalTrafficPolicy Local (k8s pkg/proxy/healthcheck/service_health.go).
 */
export class HealthCheckNodePorts {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: HealthCheckOptions) {}

  /** Undefined: the service has none. */
  set(service: string, health: ServiceHealth | undefined): void {
    const known = this.entries.get(service);
    if (known && health && wantsSamePlace(known.health, health)) {
      known.health = health;
      return;
    }
    if (known) this.stop(service, known);
    if (health) this.start(service, health);
  }

  close(): void {
    for (const [service, entry] of this.entries) this.stop(service, entry);
  }

  private start(service: string, health: ServiceHealth): void {
    const servers = health.addresses.map((address) => {
      const server = createServer((_, response) => {
        this.answer(service, response);
      });
      server.on('error', (error) => {
        this.tell(service, `${address}:${health.port}`, error);
      });
      return server.listen(health.port, address);
    });
    this.entries.set(service, { health, servers });
  }

  private tell(service: string, address: string, error: Error): void {
    const { nodeName, events, logger } = this.options;
    logger.error('health check node port cannot be served', error, { service, address });
    const [namespace = '', name = ''] = service.split('/');
    events.report({
      regarding: { apiVersion: 'v1', kind: 'Service', namespace, name },
      type: 'Warning',
      reason: 'FailedToStartServiceHealthcheck',
      action: 'Listen',
      note: `node ${nodeName} failed to start healthcheck "${service}" on ${address}: ${error.message}`,
    });
  }

  private stop(service: string, entry: Entry): void {
    this.entries.delete(service);
    for (const server of entry.servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  private answer(service: string, response: ServerResponse): void {
    const localEndpoints = this.entries.get(service)?.health.localEndpoints ?? 0;
    const [namespace, name] = service.split('/');
    const serviceProxyHealthy = this.options.isProxyHealthy();
    const headers = {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-load-balancing-endpoint-weight': String(localEndpoints),
    };
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, headers);
    const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy };
    response.end(JSON.stringify(body, null, '\t'));
  }
}
