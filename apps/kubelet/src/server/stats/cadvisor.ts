import type { Machine } from '../../node/machine.js';
import type { ContainerUsage, RuntimeContainer, RuntimePod } from '../../runtime/runtime.js';
import { family } from '../prometheus-text.js';
import type { Sample } from '../prometheus-text.js';

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly usage: ContainerUsage;
  readonly container: RuntimeContainer | undefined;
}

function rowOf(usage: ContainerUsage, pods: readonly RuntimePod[]): Row {
  const container = pods
    .find((pod) => pod.uid === usage.podUid)
    ?.containers.find((one) => one.id === usage.containerId);
  return {
    usage,
    container,
    labels: {
      container: usage.container,
      id: `/kubepods/pod${usage.podUid}/${usage.containerId}`,
      image: container?.image ?? '',
      name: usage.containerId,
      namespace: usage.podNamespace,
      pod: usage.podName,
    },
  };
}

interface Metric {
  readonly name: string;
  readonly type?: 'counter';
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Undefined where the runtime does not tell. */
  readonly value: (row: Row) => number | undefined;
}

const METRICS: readonly Metric[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    type: 'counter',
    help: 'Cumulative cpu time consumed in seconds.',
    labels: { cpu: 'total' },
    value: ({ usage }) => usage.cpuCoreNanoSeconds / 1e9,
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    value: ({ usage }) => usage.memoryWorkingSetBytes,
  },
  {
    name: 'container_memory_usage_bytes',
    help: 'Current memory usage in bytes, including all memory regardless of when it was accessed',
    value: ({ usage }) => usage.memoryUsageBytes,
  },
  {
    name: 'container_memory_rss',
    help: 'Size of RSS in bytes.',
    value: ({ usage }) => usage.memoryRssBytes,
  },
  {
    name: 'container_fs_usage_bytes',
    help: 'Number of bytes that are consumed by the container on this filesystem.',
    value: ({ usage }) => usage.writableLayerBytes,
  },
  {
    name: 'container_spec_cpu_period',
    help: 'CPU period of the container.',
    value: ({ container }) => container?.resources?.cpuPeriod,
  },
  {
    name: 'container_spec_cpu_quota',
    help: 'CPU quota of the container.',
    value: ({ container }) => container?.resources?.cpuQuota || undefined,
  },
  {
    name: 'container_spec_cpu_shares',
    help: 'CPU share of the container.',
    value: ({ container }) => container?.resources?.cpuShares,
  },
  {
    name: 'container_spec_memory_limit_bytes',
    help: 'Memory limit for the container.',
    value: ({ container }) => container?.resources?.memoryLimitBytes,
  },
  {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    value: ({ container }) => container && container.startedAtMs / 1000,
  },
  {
    name: 'container_last_seen',
    help: 'Last time a container was seen by the exporter',
    value: ({ usage }) => Math.round(usage.timestampMs / 1000),
  },
];

function samplesOf({ labels = {}, value }: Metric, rows: readonly Row[]): Sample[] {
  return rows.flatMap((row) => {
    const found = value(row);
    if (found === undefined) return [];
    return [{ labels: { ...row.labels, ...labels }, value: found, atMs: row.usage.timestampMs }];
  });
}

const NODE_LABELS = { container: '', id: '/', image: '', name: '', namespace: '', pod: '' };

/** Pressure stall information of the node, which stands for its root control group. */
function pressureMetrics({ pressure }: Machine): string[] {
  if (!pressure) return [];
  return (['cpu', 'memory', 'io'] as const).flatMap((resource) => {
    const name = resource === 'memory' ? 'memory' : resource.toUpperCase();
    const of = (kind: 'waiting' | 'stalled', help: string, ns: number): string =>
      family(
        `container_pressure_${resource}_${kind}_seconds_total`,
        'counter',
        `Total time duration ${help} due to ${name} congestion.`,
        [{ labels: NODE_LABELS, value: ns / 1e9 }],
      );
    const { some, full } = pressure[resource];
    return [
      of('waiting', 'tasks in the container have waited', some.totalNs),
      of('stalled', 'no tasks in the container could make progress', full.totalNs),
    ];
  });
}

/** Prometheus text of /metrics/cadvisor: what the runtime tells of each running container, under cAdvisor's names. */
export function cadvisorMetrics(
  usage: readonly ContainerUsage[],
  pods: readonly RuntimePod[],
  machine: Machine,
): string {
  const rows = usage.filter((one) => one.podUid !== '').map((one) => rowOf(one, pods));
  const cores = [{ value: machine.cpus }];
  const memory = [{ value: machine.memoryBytes }];
  return [
    ...METRICS.map((metric) =>
      family(metric.name, metric.type ?? 'gauge', metric.help, samplesOf(metric, rows)),
    ),
    ...pressureMetrics(machine),
    family('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.', cores),
    family('machine_memory_bytes', 'gauge', 'Memory installed on the machine.', memory),
  ].join('');
}
