import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Dataplane } from '@orrery/dataplane';
import type { Counters } from '@orrery/dataplane';

const HELP: Readonly<Record<keyof Counters, readonly [name: string, help: string]>> = {
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
  constructor(@Inject(Dataplane) private readonly dataplane: Dataplane) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): string {
    const { counters } = this.dataplane;
    const lines = (Object.keys(HELP) as (keyof Counters)[]).flatMap((key) => {
      const [name, help] = HELP[key];
      const metric = `orrery_dataplane_${name}`;
      return [`# HELP ${metric} ${help}`, `# TYPE ${metric} counter`, `${metric} ${counters[key]}`];
    });
    return `${lines.join('\n')}\n`;
  }
}
