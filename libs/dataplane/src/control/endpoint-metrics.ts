import { LATENCY_BUCKETS } from '../table/latency.js';
import type { EndpointView } from '../table/endpoint-state.js';
import type { RuleView } from '../table/service-table.js';

interface EndpointMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (endpoint: EndpointView) => number;
}

const METRICS: readonly EndpointMetric[] = [
  {
    name: 'open_connections',
    type: 'gauge',
    help: 'Connections and UDP sessions open now',
    value: (e) => e.open,
  },
  {
    name: 'connections_total',
    type: 'counter',
    help: 'Connections and UDP sessions made',
    value: (e) => e.connections,
  },
  {
    name: 'errors_total',
    type: 'counter',
    help: 'Failed dials and connections that the endpoint broke off',
    value: (e) => e.errors,
  },
  {
    name: 'received_bytes_total',
    type: 'counter',
    help: 'Bytes relayed to the endpoint',
    value: (e) => e.bytesToBackend,
  },
  {
    name: 'sent_bytes_total',
    type: 'counter',
    help: 'Bytes relayed from the endpoint',
    value: (e) => e.bytesFromBackend,
  },
];
const DIAL = 'orrery_dataplane_endpoint_dial_duration_seconds';

const quote = (text: string): string => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`;

type Series = readonly (readonly [labels: string, endpoint: EndpointView])[];

/** Every endpoint with the labels of its series. */
const seriesOf = (views: readonly RuleView[]): Series =>
  views.flatMap(({ node, rule, endpoints }) =>
    endpoints.map((endpoint) => {
      const names = `node=${quote(node)},service=${quote(rule.id)}`;
      return [
        `${names},protocol="${rule.protocol}",endpoint="${endpoint.backend}"`,
        endpoint,
      ] as const;
    }),
  );

const dials = (all: Series): string[] => [
  `# HELP ${DIAL} Time to connect to the endpoint`,
  `# TYPE ${DIAL} histogram`,
  ...all.flatMap(
    ([
      labels,
      {
        dialSeconds: { counts, sum },
      },
    ]) => [
      ...counts.map(
        (count, i) => `${DIAL}_bucket{${labels},le="${LATENCY_BUCKETS[i] ?? '+Inf'}"} ${count}`,
      ),
      `${DIAL}_sum{${labels}} ${sum}`,
      `${DIAL}_count{${labels}} ${counts.at(-1) ?? 0}`,
    ],
  ),
];

/** Prometheus text of what was seen of each endpoint: connections, bytes, errors and latency. */
export function formatEndpointMetrics(views: readonly RuleView[]): string {
  const all = seriesOf(views);
  const lines = METRICS.flatMap(({ name, type, help, value }) => {
    const metric = `orrery_dataplane_endpoint_${name}`;
    return [
      `# HELP ${metric} ${help}`,
      `# TYPE ${metric} ${type}`,
      ...all.map(([labels, endpoint]) => `${metric}{${labels}} ${value(endpoint)}`),
    ];
  });
  return `${[...lines, ...dials(all)].join('\n')}\n`;
}
