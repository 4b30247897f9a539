import { fromNanoseconds } from '@orrery/cri';
import type { ContainerStats } from '@orrery/cri';
import {
  CONTAINER_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_NAME_LABEL,
  POD_UID_LABEL,
} from './labels.js';
import type { ContainerUsage } from './runtime.js';

const valueOf = (amount: { readonly value: number } | undefined): number => amount?.value ?? 0;

export function toUsage({
  attributes,
  cpu,
  memory,
  writableLayer,
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
