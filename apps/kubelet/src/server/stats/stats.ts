import { toTime } from '@orrery/component';
import type { Machine } from '../../node/machine.js';
import type { Pressure } from '@orrery/component';
import type { ContainerUsage, PodUsage, RuntimePod } from '../../runtime/runtime.js';
import { family } from '../prometheus-text.js';
import type { Sample } from '../prometheus-text.js';
import type { VolumeStats } from './volume-stats.js';

export interface StatsInput {
  readonly nodeName: string;
  readonly usage: readonly ContainerUsage[];
  readonly podUsage: readonly PodUsage[];
  readonly pods: readonly RuntimePod[];
  readonly machine: Machine;
  readonly imageBytes: number;
  /** By the uid of the pod. */
  readonly volumes?: ReadonlyMap<string, readonly VolumeStats[]>;
  /** Of the kubelet. */
  readonly startedAtMs: number;
  readonly nowMs: number;
}

type Plain = Readonly<Record<string, unknown>>;

/** stats.k8s.io/v1alpha1 Summary (k8s kubelet/pkg/apis/stats/v1alpha1/types.go). */
export interface Summary {
  readonly node: Plain;
  readonly pods: readonly Plain[];
}

const sum = (list: readonly ContainerUsage[], pick: (one: ContainerUsage) => number): number =>
  list.reduce((total, one) => total + pick(one), 0);

function usageOf(list: readonly ContainerUsage[], time: string): Plain {
  return {
    cpu: {
      time,
      usageNanoCores: sum(list, (one) => one.cpuNanoCores),
      usageCoreNanoSeconds: sum(list, (one) => one.cpuCoreNanoSeconds),
    },
    memory: {
      time,
      usageBytes: sum(list, (one) => one.memoryUsageBytes),
      workingSetBytes: sum(list, (one) => one.memoryWorkingSetBytes),
      rssBytes: sum(list, (one) => one.memoryRssBytes),
    },
  };
}

function diskOf({ machine, nowMs }: StatsInput, usedBytes?: number): Plain {
  const { ephemeralStorageBytes: capacityBytes, availableStorageBytes: availableBytes } = machine;
  return {
    time: toTime(nowMs),
    availableBytes,
    capacityBytes,
    usedBytes: usedBytes ?? capacityBytes - availableBytes,
  };
}

interface Measured {
  readonly pressure?: Pressure | undefined;
  readonly pageFaults?: number | undefined;
  readonly majorPageFaults?: number | undefined;
  readonly swapUsageBytes?: number | undefined;
}

/** The usage with what the kernel tells of the control group beside it. */
function withGroup(
  { cpu, memory, ...rest }: Plain,
  { pressure, pageFaults, majorPageFaults, swapUsageBytes }: Measured,
  time: string,
): Plain {
  return {
    ...rest,
    cpu: { ...(cpu as Plain), ...psiOf(pressure, 'cpu') },
    memory: {
      ...(memory as Plain),
      ...(pageFaults === undefined ? {} : { pageFaults }),
      ...(majorPageFaults === undefined ? {} : { majorPageFaults }),
      ...psiOf(pressure, 'memory'),
    },
    ...(pressure ? { io: { time, ...psiOf(pressure, 'io') } } : {}),
    ...(swapUsageBytes === undefined ? {} : { swap: { time, swapUsageBytes } }),
  };
}

/** A pod's own network; nothing of one that shares the node's. */
function networkOf(pod: PodUsage | undefined, time: string): Plain {
  const [main] = pod?.interfaces ?? [];
  return pod && main ? { network: { time, ...main, interfaces: pod.interfaces } } : {};
}

function podOf(input: StatsInput, uid: string, own: readonly ContainerUsage[]): Plain {
  const time = toTime(input.nowMs);
  const [first] = own;
  const pod = input.pods.find((one) => one.uid === uid);
  const startOf = (one: ContainerUsage): Plain => {
    const found = pod?.containers.find(({ id }) => id === one.containerId);
    return found ? { startTime: toTime(found.startedAtMs) } : {};
  };
  const sandbox = pod?.sandboxes[0];
  const volume = input.volumes?.get(uid) ?? [];
  const whole = input.podUsage.find((one) => one.podUid === uid);
  return {
    podRef: { name: first?.podName, namespace: first?.podNamespace, uid },
    ...(sandbox ? { startTime: toTime(sandbox.createdAtMs) } : {}),
    containers: own.map((one) => ({
      name: one.container,
      ...startOf(one),
      ...withGroup(usageOf([one], time), one, time),
      rootfs: diskOf(input, one.writableLayerBytes),
    })),
    ...withGroup(usageOf(own, time), whole ?? {}, time),
    ...networkOf(whole, time),
    ...(volume.length > 0 ? { volume } : {}),
    'ephemeral-storage': diskOf(
      input,
      sum(own, (one) => one.writableLayerBytes),
    ),
    process_stats: { process_count: whole?.processCount ?? own.length },
  };
}

const uidsOf = (usage: readonly ContainerUsage[]): string[] =>
  [...new Set(usage.map((one) => one.podUid))].filter((uid) => uid !== '');

function psiOf(pressure: Pressure | undefined, resource: keyof Pressure): Plain {
  return pressure ? { psi: pressure[resource] } : {};
}

export function summaryOf(input: StatsInput): Summary {
  const { nodeName, usage, machine, imageBytes, startedAtMs, nowMs } = input;
  const time = toTime(nowMs);
  const { cpu, memory } = usageOf(usage, time) as { readonly cpu: Plain; readonly memory: Plain };
  return {
    node: {
      nodeName,
      startTime: toTime(startedAtMs),
      cpu: { ...cpu, ...psiOf(machine.pressure, 'cpu') },
      memory: {
        ...memory,
        availableBytes: machine.availableMemoryBytes,
        ...psiOf(machine.pressure, 'memory'),
      },
      ...(machine.pressure ? { io: { time, ...psiOf(machine.pressure, 'io') } } : {}),
      fs: diskOf(input),
      runtime: { imageFs: diskOf(input, imageBytes), containerFs: diskOf(input) },
    },
    pods: uidsOf(usage).map((uid) =>
      podOf(
        input,
        uid,
        usage.filter((one) => one.podUid === uid),
      ),
    ),
  };
}

const withCpuAndMemory = ({ name, podRef, nodeName, startTime, cpu, memory }: Plain): Plain =>
  JSON.parse(JSON.stringify({ name, podRef, nodeName, startTime, cpu, memory })) as Plain;

/** For ?only_cpu_and_memory=true (k8s pkg/kubelet/server/stats/summary.go:GetCPUAndMemoryStats). */
export const briefOf = ({ node, pods }: Summary): Summary => ({
  node: withCpuAndMemory(node),
  pods: pods.map((pod) => ({
    ...withCpuAndMemory(pod),
    containers: (pod['containers'] as readonly Plain[]).map(withCpuAndMemory),
  })),
});

const cpuOf = (one: ContainerUsage): number => one.cpuCoreNanoSeconds / 1e9;
const memoryOf = (one: ContainerUsage): number => one.memoryWorkingSetBytes;

const labelsOf = (one: ContainerUsage): Record<string, string> => ({
  container: one.container,
  namespace: one.podNamespace,
  pod: one.podName,
});

const perContainer = (
  usage: readonly ContainerUsage[],
  value: (one: ContainerUsage) => number,
): Sample[] =>
  usage.map((one) => ({ labels: labelsOf(one), value: value(one), atMs: one.timestampMs }));

function perPod(
  usage: readonly ContainerUsage[],
  value: (one: ContainerUsage) => number,
): Sample[] {
  return uidsOf(usage).map((uid) => {
    const own = usage.filter((one) => one.podUid === uid);
    const { podNamespace: namespace = '', podName: pod = '', timestampMs = 0 } = own[0] ?? {};
    return { labels: { namespace, pod }, value: sum(own, value), atMs: timestampMs };
  });
}

const ERROR_HELP = '1 if there was an error while getting container metrics, 0 otherwise';

/** Prometheus text of /metrics/resource, for the resource metrics pipeline (k8s pkg/kubelet/metrics/collectors/resource_metrics.go). */
export function resourceMetrics({ usage, pods, nowMs }: StatsInput): string {
  const started = usage.flatMap((one) => {
    const found = pods
      .find((pod) => pod.uid === one.podUid)
      ?.containers.find(({ id }) => id === one.containerId);
    return found ? [{ labels: labelsOf(one), value: found.startedAtMs / 1000 }] : [];
  });
  const perNode = (value: (one: ContainerUsage) => number): Sample[] => [
    { value: sum(usage, value), atMs: nowMs },
  ];
  const cpu = (of: string, samples: readonly Sample[]): string =>
    family(
      `${of}_cpu_usage_seconds_total`,
      'counter',
      `Cumulative cpu time consumed by the ${of} in core-seconds`,
      samples,
    );
  const memory = (of: string, samples: readonly Sample[]): string =>
    family(
      `${of}_memory_working_set_bytes`,
      'gauge',
      `Current working set of the ${of} in bytes`,
      samples,
    );
  const startHelp = 'Start time of the container since unix epoch in seconds';
  return [
    cpu('container', perContainer(usage, cpuOf)),
    memory('container', perContainer(usage, memoryOf)),
    family('container_start_time_seconds', 'gauge', startHelp, started),
    cpu('node', perNode(cpuOf)),
    memory('node', perNode(memoryOf)),
    cpu('pod', perPod(usage, cpuOf)),
    memory('pod', perPod(usage, memoryOf)),
    family('resource_scrape_error', 'gauge', ERROR_HELP, [{ value: 0 }]),
    family('scrape_error', 'gauge', ERROR_HELP, [{ value: 0 }]),
  ].join('');
}
