import { Controller, Get, Header, Inject } from '@nestjs/common';
import { LATENCY_BUCKETS } from '@orrery/dataplane';
import type { Counters, EndpointView, RuleView } from '@orrery/dataplane';
import { Fleet } from './fleet/fleet.js';

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

interface EndpointMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (endpoint: EndpointView) => number;
}

const ENDPOINT_METRICS: readonly EndpointMetric[] = [
  {
    name: 'endpoint_open_connections',
    type: 'gauge',
    help: 'Connections and UDP sessions open now',
    value: (e) => e.open,
  },
  {
    name: 'endpoint_connections_total',
    type: 'counter',
    help: 'Connections and UDP sessions made',
    value: (e) => e.connections,
  },
  {
    name: 'endpoint_errors_total',
    type: 'counter',
    help: 'Failed dials and connections that the endpoint broke off',
    value: (e) => e.errors,
  },
  {
    name: 'endpoint_received_bytes_total',
    type: 'counter',
    help: 'Bytes relayed to the endpoint',
    value: (e) => e.bytesToBackend,
  },
  {
    name: 'endpoint_sent_bytes_total',
    type: 'counter',
    help: 'Bytes relayed from the endpoint',
    value: (e) => e.bytesFromBackend,
  },
];

const head = (name: string, type: string, help: string): string[] => [
  `# HELP orrery_dataplane_${name} ${help}`,
  `# TYPE orrery_dataplane_${name} ${type}`,
];

const quote = (text: string): string => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`;

/** Every endpoint with the labels of its series. */
const series = (views: readonly RuleView[]): readonly [labels: string, endpoint: EndpointView][] =>
  views.flatMap(({ node, rule, endpoints }) =>
    endpoints.map((endpoint): [string, EndpointView] => [
      `node=${quote(node)},service=${quote(rule.id)},protocol="${rule.protocol}",endpoint=${quote(endpoint.backend)}`,
      endpoint,
    ]),
  );

const dialSeconds = (all: readonly [string, EndpointView][]): string[] => [
  ...head('endpoint_dial_duration_seconds', 'histogram', 'Time to connect to the endpoint'),
  ...all.flatMap(
    ([
      labels,
      {
        dialSeconds: { counts, sum },
      },
    ]) => [
      ...counts.map(
        (count, i) =>
          `orrery_dataplane_endpoint_dial_duration_seconds_bucket{${labels},le="${LATENCY_BUCKETS[i] ?? '+Inf'}"} ${count}`,
      ),
      `orrery_dataplane_endpoint_dial_duration_seconds_sum{${labels}} ${sum}`,
      `orrery_dataplane_endpoint_dial_duration_seconds_count{${labels}} ${counts.at(-1) ?? 0}`,
    ],
  ),
];

/** Prometheus text, version 0.0.4. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    const [counters, views] = await Promise.all([this.fleet.counters(), this.fleet.view()]);
    const totals = (Object.keys(HELP) as (keyof Counters)[]).flatMap((key) => {
      const [name, help] = HELP[key];
      return [...head(name, 'counter', help), `orrery_dataplane_${name} ${counters[key]}`];
    });
    const all = series(views);
    const endpoints = ENDPOINT_METRICS.flatMap(({ name, type, help, value }) => [
      ...head(name, type, help),
      ...all.map(([labels, endpoint]) => `orrery_dataplane_${name}{${labels}} ${value(endpoint)}`),
    ]);
    return `${[...totals, ...endpoints, ...dialSeconds(all)].join('\n')}\n`;
  }
}
