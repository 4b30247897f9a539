import { fromNanoseconds } from '@orrery/cri';
import type {
  ContainerStats,
  CpuUsage,
  IoUsage,
  LinuxPodSandboxStats,
  ListMetricDescriptorsResponse,
  ListPodSandboxMetricsResponse,
  MemoryUsage,
  Metric,
  NetworkInterfaceUsage,
  PodSandboxStats,
  PsiStats,
  SwapUsage,
} from '@orrery/cri';
import type { Pressure, PressureStats } from '@orrery/component';
import {
  CONTAINER_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_NAME_LABEL,
  POD_UID_LABEL,
} from './labels.js';
import type { ContainerUsage, NetworkInterface, PodUsage, RuntimeMetric } from './runtime.js';

const valueOf = (amount: { readonly value: number } | undefined): number => amount?.value ?? 0;

const NO_DATA = { total: 0, avg10: 0, avg60: 0, avg300: 0 };

function toPressureStats({ some = NO_DATA, full = NO_DATA }: PsiStats): PressureStats {
  return { some, full };
}

/** Only where the runtime tells it of all three. */
function pressureOf(
  cpu: CpuUsage | undefined,
  memory: MemoryUsage | undefined,
  io: IoUsage | undefined,
): { readonly pressure?: Pressure } {
  if (!cpu?.psi || !memory?.psi || !io?.psi) return {};
  return {
    pressure: {
      cpu: toPressureStats(cpu.psi),
      memory: toPressureStats(memory.psi),
      io: toPressureStats(io.psi),
    },
  };
}

const faultsOf = (memory: MemoryUsage | undefined) => ({
  ...(memory?.pageFaults ? { pageFaults: memory.pageFaults.value } : {}),
  ...(memory?.majorPageFaults ? { majorPageFaults: memory.majorPageFaults.value } : {}),
});

const swapOf = (swap: SwapUsage | undefined) =>
  swap?.swapUsageBytes ? { swapUsageBytes: swap.swapUsageBytes.value } : {};

const toInterface = (one: NetworkInterfaceUsage): NetworkInterface => ({
  name: one.name,
  rxBytes: valueOf(one.rxBytes),
  rxErrors: valueOf(one.rxErrors),
  txBytes: valueOf(one.txBytes),
  txErrors: valueOf(one.txErrors),
});

const NO_NAME = { uid: '', name: '', namespace: '' };

/** The main one first. */
function interfacesOf({ network }: LinuxPodSandboxStats): NetworkInterface[] {
  const main = network?.defaultInterface;
  const others = (network?.interfaces ?? []).filter(({ name }) => name !== main?.name);
  return [...(main ? [main] : []), ...others].map(toInterface);
}

export function toPodUsage({ attributes, linux = { containers: [] } }: PodSandboxStats): PodUsage {
  const { uid, name, namespace } = attributes?.metadata ?? NO_NAME;
  const { cpu, memory, io, process } = linux;
  return {
    podUid: uid,
    podName: name,
    podNamespace: namespace,
    timestampMs: fromNanoseconds(cpu?.timestamp ?? ''),
    processCount: valueOf(process?.processCount),
    interfaces: interfacesOf(linux),
    ...faultsOf(memory),
    ...pressureOf(cpu, memory, io),
  };
}

/** What ListPodSandboxMetrics tells, with the descriptors of the same runtime (k8s pkg/kubelet/metrics/collectors/cri_metrics.go). */
export function toMetrics(
  { descriptors }: ListMetricDescriptorsResponse,
  { podMetrics }: ListPodSandboxMetricsResponse,
): RuntimeMetric[] {
  const known = new Map(descriptors.map((one) => [one.name, one]));
  const all = (sandboxId: string, containerId: string, metrics: readonly Metric[]) =>
    metrics.flatMap((metric): RuntimeMetric[] => {
      const about = known.get(metric.name);
      if (!about || about.labelKeys.length !== metric.labelValues.length) return [];
      const labels = about.labelKeys.map((key, i) => [key, metric.labelValues[i] ?? '']);
      return [
        {
          name: metric.name,
          help: about.help,
          type: metric.metricType === 'COUNTER' ? 'counter' : 'gauge',
          sandboxId,
          containerId,
          labels: Object.fromEntries(labels) as Record<string, string>,
          value: valueOf(metric.value),
          timestampMs: fromNanoseconds(metric.timestamp),
        },
      ];
    });
  return podMetrics.flatMap(({ podSandboxId, metrics, containerMetrics }) => [
    ...all(podSandboxId, '', metrics),
    ...containerMetrics.flatMap((one) => all(podSandboxId, one.containerId, one.metrics)),
  ]);
}

export function toUsage({
  attributes,
  cpu,
  memory,
  writableLayer,
  swap,
  io,
}: ContainerStats): ContainerUsage {
  const labels = attributes?.labels ?? {};
  const label = (name: string): string => labels[name] ?? '';
  return {
    podUid: label(POD_UID_LABEL),
    podName: label(POD_NAME_LABEL),
    podNamespace: label(POD_NAMESPACE_LABEL),
    container: label(CONTAINER_NAME_LABEL),
    containerId: attributes?.id ?? '',
    timestampMs: fromNanoseconds(cpu?.timestamp ?? ''),
    cpuNanoCores: valueOf(cpu?.usageNanoCores),
    cpuCoreNanoSeconds: valueOf(cpu?.usageCoreNanoSeconds),
    memoryWorkingSetBytes: valueOf(memory?.workingSetBytes),
    memoryUsageBytes: valueOf(memory?.usageBytes),
    memoryRssBytes: valueOf(memory?.rssBytes),
    writableLayerBytes: valueOf(writableLayer?.usedBytes),
    writableLayerInodes: valueOf(writableLayer?.inodesUsed),
    ...swapOf(swap),
    ...faultsOf(memory),
    ...pressureOf(cpu, memory, io),
  };
}

interface Sample {
  readonly atMs: number;
  readonly total: number;
  readonly rate: number;
}

/** Two samples closer than this tell nothing of a rate. */
const MIN_WINDOW_MS = 500;

/** Cores in use, from two samples, where the runtime tells only totals (k8s pkg/kubelet/stats/cri_stats_provider.go). */
export class CpuRates {
  private samples = new Map<string, Sample>();

  complete(usage: readonly ContainerUsage[]): ContainerUsage[] {
    const next = new Map<string, Sample>();
    const result = usage.map((one) => {
      if (one.cpuNanoCores > 0) return one;
      const before = this.samples.get(one.containerId);
      const sample = { atMs: one.timestampMs, total: one.cpuCoreNanoSeconds, rate: 0 };
      const windowMs = before ? sample.atMs - before.atMs : 0;
      if (before && windowMs < MIN_WINDOW_MS) {
        next.set(one.containerId, before);
        return { ...one, cpuNanoCores: before.rate };
      }
      const spent = before ? Math.max(0, sample.total - before.total) : 0;
      const rate = windowMs > 0 ? Math.round((spent * 1000) / windowMs) : 0;
      next.set(one.containerId, { ...sample, rate });
      return { ...one, cpuNanoCores: rate };
    });
    this.samples = next;
    return result;
  }
}
