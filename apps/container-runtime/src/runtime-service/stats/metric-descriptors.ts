import type { ContainerStats, Init, Metric, MetricDescriptor } from '@orrery/cri';

interface Descriptor extends MetricDescriptor {
  readonly type: 'COUNTER' | 'GAUGE';
  readonly value: (stats: Init<ContainerStats>) => number | undefined;
}

/** What ListPodSandboxMetrics tells of each container; label values are in the order of these keys. */
export const DESCRIPTORS: readonly Descriptor[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    labelKeys: ['cpu'],
    type: 'COUNTER',
    value: (stats) => Math.floor((stats.cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9),
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    labelKeys: [],
    type: 'GAUGE',
    value: (stats) => stats.memory?.workingSetBytes?.value,
  },
  {
    name: 'container_memory_rss',
    help: 'Size of RSS in bytes.',
    labelKeys: [],
    type: 'GAUGE',
    value: (stats) => stats.memory?.rssBytes?.value,
  },
];

/** The metrics of one container. */
export function metricsOf(stats: Init<ContainerStats>, timestamp: string): Init<Metric>[] {
  return DESCRIPTORS.map((one) => ({
    name: one.name,
    timestamp,
    metricType: one.type,
    labelValues: one.labelKeys.map(() => 'total'),
    value: { value: one.value(stats) ?? 0 },
  }));
}
