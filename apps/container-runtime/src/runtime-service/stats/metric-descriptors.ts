import type { ContainerStats, Init, Metric, MetricDescriptor } from '@orrery/cri';
import type { CgroupUsage } from '../../stats/cgroup-usage.js';
import type { InterfaceCounts, ProcCounts } from '../../stats/proc-counts.js';

/** What is known of one running container. */
export interface ContainerFacts {
  readonly stats: Init<ContainerStats>;
  /** Undefined without a control group. */
  readonly group: CgroupUsage | undefined;
  /** Of its processes; undefined where none is known. */
  readonly counts: ProcCounts | undefined;
  /** 0 = as much as there is. */
  readonly cpuQuota: number;
}

interface Sample {
  readonly labels: readonly string[];
  readonly value: number | undefined;
}

interface Descriptor<T> extends MetricDescriptor {
  readonly type: 'COUNTER' | 'GAUGE';
  readonly samples: (facts: T) => readonly Sample[];
}

type Read = (facts: ContainerFacts) => number | undefined;

const single = (
  type: 'COUNTER' | 'GAUGE',
  name: string,
  help: string,
  read: Read,
): Descriptor<ContainerFacts> => ({
  name,
  help,
  labelKeys: [],
  type,
  samples: (facts) => [{ labels: [], value: read(facts) }],
});

const counter = (name: string, help: string, read: Read) => single('COUNTER', name, help, read);
const gauge = (name: string, help: string, read: Read) => single('GAUGE', name, help, read);

/** CRI has whole numbers alone. */
const seconds = (ns: number | undefined): number | undefined =>
  ns === undefined ? undefined : Math.floor(ns / 1e9);

/** Throttling is told of containers that have a quota (cadvisor metrics/prometheus.go). */
const throttled =
  (read: (group: CgroupUsage) => number | undefined): Read =>
  ({ group, cpuQuota }) =>
    group && cpuQuota > 0 ? read(group) : undefined;

const CPU: readonly Descriptor<ContainerFacts>[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    labelKeys: ['cpu'],
    type: 'COUNTER',
    samples: ({ stats }) => [
      { labels: ['total'], value: seconds(stats.cpu?.usageCoreNanoSeconds?.value) ?? 0 },
    ],
  },
  counter(
    'container_cpu_user_seconds_total',
    'Cumulative user cpu time consumed in seconds.',
    ({ group }) => seconds(group?.userNs),
  ),
  counter(
    'container_cpu_system_seconds_total',
    'Cumulative system cpu time consumed in seconds.',
    ({ group }) => seconds(group?.systemNs),
  ),
  counter(
    'container_cpu_cfs_periods_total',
    'Number of elapsed enforcement period intervals.',
    throttled(({ periods }) => periods),
  ),
  counter(
    'container_cpu_cfs_throttled_periods_total',
    'Number of throttled period intervals.',
    throttled(({ throttledPeriods }) => throttledPeriods),
  ),
  counter(
    'container_cpu_cfs_throttled_seconds_total',
    'Total time duration the container has been throttled.',
    throttled(({ throttledNs }) => seconds(throttledNs)),
  ),
];

const FAULT_SCOPES = ['container', 'hierarchy'] as const;

const MEMORY: readonly Descriptor<ContainerFacts>[] = [
  gauge(
    'container_memory_working_set_bytes',
    'Current working set in bytes.',
    ({ stats }) => stats.memory?.workingSetBytes?.value ?? 0,
  ),
  gauge(
    'container_memory_rss',
    'Size of RSS in bytes.',
    ({ stats }) => stats.memory?.rssBytes?.value ?? 0,
  ),
  gauge(
    'container_memory_cache',
    'Number of bytes of page cache memory.',
    ({ group }) => group?.cache,
  ),
  gauge(
    'container_memory_mapped_file',
    'Size of memory mapped files in bytes.',
    ({ group }) => group?.mappedFile,
  ),
  gauge(
    'container_memory_total_active_file_bytes',
    'Current total active file in bytes.',
    ({ group }) => group?.activeFile,
  ),
  gauge(
    'container_memory_total_inactive_file_bytes',
    'Current total inactive file in bytes.',
    ({ group }) => group?.inactiveFile,
  ),
  gauge('container_memory_swap', 'Container swap usage in bytes.', ({ group }) => group?.swap),
  gauge(
    'container_memory_max_usage_bytes',
    'Maximum memory usage recorded in bytes',
    ({ group }) => group?.maxUsage,
  ),
  counter(
    'container_memory_failcnt',
    'Number of memory usage hits limits',
    ({ group }) => group?.failcnt,
  ),
  {
    name: 'container_memory_failures_total',
    help: 'Cumulative count of memory allocation failures.',
    labelKeys: ['failure_type', 'scope'],
    type: 'COUNTER',
    // A container's group has none below it.
    samples: ({ group }) =>
      FAULT_SCOPES.flatMap((scope) => [
        { labels: ['pgfault', scope], value: group?.pageFaults },
        { labels: ['pgmajfault', scope], value: group?.majorPageFaults },
      ]),
  },
  counter(
    'container_oom_events_total',
    'Count of out of memory events observed for the container',
    ({ group }) => group?.oomKills,
  ),
  gauge(
    'container_spec_memory_reservation_limit_bytes',
    'Memory reservation limit for the container.',
    ({ group }) => group?.reservation,
  ),
  gauge(
    'container_spec_memory_swap_limit_bytes',
    'Memory swap limit for the container.',
    ({ group }) => group?.swapLimit,
  ),
];

const PROCESSES: readonly Descriptor<ContainerFacts>[] = [
  gauge(
    'container_processes',
    'Number of processes running inside the container.',
    ({ group }) => group?.pids.length,
  ),
  gauge(
    'container_threads',
    'Number of threads running inside the container',
    ({ counts }) => counts?.threads,
  ),
  gauge(
    'container_file_descriptors',
    'Number of open file descriptors for the container.',
    ({ counts }) => counts?.fileDescriptors,
  ),
  gauge(
    'container_sockets',
    'Number of open sockets for the container.',
    ({ counts }) => counts?.sockets,
  ),
];

const traffic = (
  way: 'receive' | 'transmit',
  what: 'bytes' | 'errors' | 'packets' | 'packets_dropped',
  help: string,
  read: (one: InterfaceCounts) => number,
): Descriptor<readonly InterfaceCounts[]> => ({
  name: `container_network_${way}_${what}_total`,
  help,
  labelKeys: ['interface'],
  type: 'COUNTER',
  samples: (interfaces) => interfaces.map((one) => ({ labels: [one.name], value: read(one) })),
});

/** Of a pod with a network namespace of its own. */
const NETWORK: readonly Descriptor<readonly InterfaceCounts[]>[] = [
  traffic('receive', 'bytes', 'Cumulative count of bytes received', (one) => one.rxBytes),
  traffic(
    'receive',
    'errors',
    'Cumulative count of errors encountered while receiving',
    (one) => one.rxErrors,
  ),
  traffic('receive', 'packets', 'Cumulative count of packets received', (one) => one.rxPackets),
  traffic(
    'receive',
    'packets_dropped',
    'Cumulative count of packets dropped while receiving',
    (one) => one.rxDropped,
  ),
  traffic('transmit', 'bytes', 'Cumulative count of bytes transmitted', (one) => one.txBytes),
  traffic(
    'transmit',
    'errors',
    'Cumulative count of errors encountered while transmitting',
    (one) => one.txErrors,
  ),
  traffic('transmit', 'packets', 'Cumulative count of packets transmitted', (one) => one.txPackets),
  traffic(
    'transmit',
    'packets_dropped',
    'Cumulative count of packets dropped while transmitting',
    (one) => one.txDropped,
  ),
];

const CONTAINER = [...CPU, ...MEMORY, ...PROCESSES];

/** What ListPodSandboxMetrics tells, by cAdvisor's names; label values are in the order of these keys. */
export const DESCRIPTORS: readonly MetricDescriptor[] = [...CONTAINER, ...NETWORK];

function metricsOf<T>(
  descriptors: readonly Descriptor<T>[],
  facts: T,
  timestamp: string,
): Init<Metric>[] {
  return descriptors.flatMap(({ name, type: metricType, samples }) =>
    samples(facts).flatMap(({ labels: labelValues, value }) =>
      value === undefined ? [] : [{ name, timestamp, metricType, labelValues, value: { value } }],
    ),
  );
}

/** The metrics of one container; what nobody knows is left out. */
export const containerMetrics = (facts: ContainerFacts, timestamp: string): Init<Metric>[] =>
  metricsOf(CONTAINER, facts, timestamp);

/** The metrics of a pod's network. */
export const networkMetrics = (
  interfaces: readonly InterfaceCounts[],
  timestamp: string,
): Init<Metric>[] => metricsOf(NETWORK, interfaces, timestamp);
