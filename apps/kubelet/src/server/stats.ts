import { toTime } from '@orrery/component';
import type { ContainerUsage } from '../runtime/runtime.js';

/** The parts of stats.k8s.io/v1alpha1 Summary that the resource metrics pipeline reads. */
export interface Summary {
  readonly node: Readonly<Record<string, unknown>>;
  readonly pods: readonly Readonly<Record<string, unknown>>[];
}

const sum = (list: readonly ContainerUsage[], pick: (one: ContainerUsage) => number): number =>
  list.reduce((total, one) => total + pick(one), 0);

function usageOf(list: readonly ContainerUsage[], time: string): Record<string, unknown> {
  return {
    cpu: {
      time,
      usageNanoCores: sum(list, (one) => one.cpuNanoCores),
      usageCoreNanoSeconds: sum(list, (one) => one.cpuCoreNanoSeconds),
    },
    memory: { time, workingSetBytes: sum(list, (one) => one.memoryWorkingSetBytes) },
  };
}

export function summaryOf(
  nodeName: string,
  usage: readonly ContainerUsage[],
  nowMs: number,
): Summary {
  const time = toTime(nowMs);
  const uids = [...new Set(usage.map((one) => one.podUid))].filter((uid) => uid !== '');
  return {
    node: { nodeName, ...usageOf(usage, time) },
    pods: uids.map((uid) => {
      const own = usage.filter((one) => one.podUid === uid);
      const [first] = own;
      return {
        podRef: { name: first?.podName, namespace: first?.podNamespace, uid },
        containers: own.map((one) => ({ name: one.container, ...usageOf([one], time) })),
        ...usageOf(own, time),
      };
    }),
  };
}

/** Prometheus text of /metrics/resource. */
export function resourceMetrics(usage: readonly ContainerUsage[]): string {
  const labels = (one: ContainerUsage): string =>
    `{container="${one.container}",namespace="${one.podNamespace}",pod="${one.podName}"}`;
  return [
    '# TYPE container_cpu_usage_seconds_total counter',
    ...usage.map(
      (one) =>
        `container_cpu_usage_seconds_total${labels(one)} ${one.cpuCoreNanoSeconds / 1e9} ${Math.round(one.timestampMs)}`,
    ),
    '# TYPE container_memory_working_set_bytes gauge',
    ...usage.map(
      (one) =>
        `container_memory_working_set_bytes${labels(one)} ${one.memoryWorkingSetBytes} ${Math.round(one.timestampMs)}`,
    ),
    '# TYPE scrape_error gauge',
    'scrape_error 0',
    '',
  ].join('\n');
}
