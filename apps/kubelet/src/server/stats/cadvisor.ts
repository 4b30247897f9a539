import type { Machine } from '../../node/machine.js';
import type { Pressure } from '@orrery/component';
import type { Topology } from '../../node/topology.js';
import type {
  ContainerUsage,
  PodUsage,
  RuntimeContainer,
  RuntimeMetric,
  RuntimePod,
} from '../../runtime/runtime.js';
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

type Labels = Readonly<Record<string, string>>;

interface Waiting {
  readonly labels: Labels;
  readonly pressure: Pressure;
  readonly atMs?: number;
}

/** Pressure stall information of the node, which stands for its root control group, of pods and of containers. */
function pressureMetrics(all: readonly Waiting[]): string[] {
  return (['cpu', 'memory', 'io'] as const).flatMap((resource) => {
    const name = resource === 'memory' ? 'memory' : resource.toUpperCase();
    const of = (kind: 'waiting' | 'stalled', help: string): string =>
      family(
        `container_pressure_${resource}_${kind}_seconds_total`,
        'counter',
        `Total time duration ${help} due to ${name} congestion.`,
        all.map(({ labels, pressure, ...at }) => ({
          labels,
          ...at,
          value: pressure[resource][kind === 'waiting' ? 'some' : 'full'].total / 1e9,
        })),
      );
    return [
      of('waiting', 'tasks in the container have waited'),
      of('stalled', 'no tasks in the container could make progress'),
    ];
  });
}

const podLabels = (uid: string, pod: string, namespace: string): Labels => ({
  container: '',
  id: `/kubepods/pod${uid}`,
  image: '',
  name: '',
  namespace,
  pod,
});

/** Labels of what the runtime measured; undefined for what belongs to no pod that is known. */
function labelsOf({ sandboxId, containerId }: RuntimeMetric, pods: readonly RuntimePod[]) {
  const pod = pods.find(({ sandboxes }) => sandboxes.some(({ id }) => id === sandboxId));
  if (!pod) return undefined;
  const labels = podLabels(pod.uid, pod.name, pod.namespace);
  if (containerId === '') return labels;
  const container = pod.containers.find(({ id }) => id === containerId);
  return (
    container && {
      ...labels,
      container: container.name,
      id: `${labels['id']}/${containerId}`,
      image: container.image,
      name: containerId,
    }
  );
}

/** What the runtime measured and this file does not tell by itself, with more than whole seconds. */
function runtimeMetrics(measured: readonly RuntimeMetric[], pods: readonly RuntimePod[]): string[] {
  const own = new Set(METRICS.map(({ name }) => name));
  const families = new Map<string, RuntimeMetric[]>();
  for (const one of measured) {
    if (own.has(one.name)) continue;
    const known = families.get(one.name);
    if (known) known.push(one);
    else families.set(one.name, [one]);
  }
  return [...families].map(([name, all]) =>
    family(
      name,
      all[0]?.type ?? 'gauge',
      all[0]?.help ?? '',
      all.flatMap((one) => {
        const labels = labelsOf(one, pods);
        if (!labels) return [];
        return [{ labels: { ...labels, ...one.labels }, value: one.value, atMs: one.timestampMs }];
      }),
    ),
  );
}

function machineMetrics(machine: Machine, topology: Topology): string[] {
  const { bootId: boot_id, machineId: machine_id, kernelVersion, osImage: osVersion } = machine;
  const gauge = (name: string, help: string, value: number | undefined): string =>
    value === undefined
      ? ''
      : family(`machine_${name}`, 'gauge', help, [{ labels: { boot_id, machine_id }, value }]);
  const version = { cadvisorRevision: '', cadvisorVersion: '', dockerVersion: '' };
  return [
    gauge('cpu_cores', 'Number of logical CPU cores.', machine.cpus),
    gauge('cpu_physical_cores', 'Number of physical CPU cores.', topology.physicalCores),
    gauge('cpu_sockets', 'Number of CPU sockets.', topology.sockets),
    gauge('memory_bytes', 'Amount of memory installed on the machine.', machine.memoryBytes),
    gauge('swap_bytes', 'Amount of swap memory available on the machine.', topology.swapBytes),
    family(
      'cadvisor_version_info',
      'gauge',
      "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & cadvisor revision.",
      [{ labels: { ...version, kernelVersion, osVersion }, value: 1 }],
    ),
  ];
}

export interface CadvisorInput {
  readonly usage: readonly ContainerUsage[];
  readonly podUsage: readonly PodUsage[];
  readonly metrics: readonly RuntimeMetric[];
  readonly pods: readonly RuntimePod[];
  readonly machine: Machine;
  readonly topology: Topology;
}

/** Prometheus text of /metrics/cadvisor: what the runtime tells of each running container and pod, under cAdvisor's names. */
export function cadvisorMetrics(input: CadvisorInput): string {
  const { usage, podUsage, metrics, pods, machine, topology } = input;
  const rows = usage.filter((one) => one.podUid !== '').map((one) => rowOf(one, pods));
  const waiting: readonly Waiting[] = [
    ...(machine.pressure ? [{ labels: NODE_LABELS, pressure: machine.pressure }] : []),
    ...podUsage.flatMap(({ podUid, podName, podNamespace, pressure, timestampMs: atMs }) =>
      pressure ? [{ labels: podLabels(podUid, podName, podNamespace), pressure, atMs }] : [],
    ),
    ...rows.flatMap(({ labels, usage: { pressure, timestampMs: atMs } }) =>
      pressure ? [{ labels, pressure, atMs }] : [],
    ),
  ];
  const errorHelp = '1 if there was an error while getting container metrics, 0 otherwise';
  return [
    ...METRICS.map((metric) =>
      family(metric.name, metric.type ?? 'gauge', metric.help, samplesOf(metric, rows)),
    ),
    ...runtimeMetrics(metrics, pods),
    ...pressureMetrics(waiting),
    ...machineMetrics(machine, topology),
    family('container_scrape_error', 'gauge', errorHelp, [{ value: 0 }]),
  ].join('');
}
