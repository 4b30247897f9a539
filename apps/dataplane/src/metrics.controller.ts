import { Controller, Get, Header, Inject } from '@nestjs/common';
import { formatEndpointMetrics } from '@orrery/dataplane';
import type { CounterName } from '@orrery/dataplane';
import { Fleet } from './fleet/fleet.js';

const HELP: Readonly<Record<CounterName, readonly [name: string, help: string]>> = {
  tcpConnections: ['tcp_connections_total', 'TCP connections relayed'],
  tcpRefused: ['tcp_refused_total', 'TCP connections that found no usable backend'],
  dialFailures: ['dial_failures_total', 'Backends that refused or did not answer'],
  guarded: ['guarded_total', 'Backends outside the allowed ranges that were not dialled'],
  forbidden: ['forbidden_total', 'Connections and UDP sessions that a NetworkPolicy forbade'],
  udpSessions: ['udp_sessions_total', 'UDP sessions made'],
  udpDropped: ['udp_dropped_total', 'UDP datagrams dropped'],
  exhausted: ['exhausted_total', 'Refusals for want of file descriptors'],
  listenFailures: ['listen_failures_total', 'Frontends that could not be bound'],
  acceptFailures: ['accept_failures_total', 'Errors of listening sockets'],
};

/** Prometheus text, version 0.0.4. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    const [counters, views] = await Promise.all([this.fleet.counters(), this.fleet.view()]);
    const totals = (Object.keys(HELP) as CounterName[]).flatMap((key) => {
      const [name, help] = HELP[key];
      const metric = `orrery_dataplane_${name}`;
      return [`# HELP ${metric} ${help}`, `# TYPE ${metric} counter`, `${metric} ${counters[key]}`];
    });
    return `${totals.join('\n')}\n${formatEndpointMetrics(views)}`;
  }
}
