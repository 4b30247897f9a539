import type { Pressure } from '@orrery/component';
import { toNanoseconds } from '@orrery/cri';
import type {
  ContainerStats,
  Init,
  NetworkUsage,
  PodSandboxStats,
  PsiStats,
  UInt64Value,
} from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import type { ContainerRecord } from '../../store/container.js';
import type { SandboxRecord } from '../../store/sandbox.js';
import type { CgroupUsage } from '../../stats/cgroup-usage.js';
import { networkOf } from '../../stats/proc-counts.js';
import type { InterfaceCounts } from '../../stats/proc-counts.js';

const NONE = { cpuNanoseconds: 0, memoryBytes: 0 };

type Waits = Readonly<Record<keyof Pressure, { readonly psi?: Init<PsiStats> }>>;

/** Pressure as a part of the usage of each resource; nothing where the kernel tells none. */
const waitsOf = (pressure: Pressure | undefined): Waits =>
  pressure
    ? { cpu: { psi: pressure.cpu }, memory: { psi: pressure.memory }, io: { psi: pressure.io } }
    : { cpu: {}, memory: {}, io: {} };

const told = <K extends string>(
  key: K,
  value: number | undefined,
): Partial<Record<K, Init<UInt64Value>>> =>
  value === undefined ? {} : ({ [key]: { value } } as Record<K, Init<UInt64Value>>);

const faultsOf = (group: CgroupUsage | undefined) => ({
  ...told('pageFaults', group?.pageFaults),
  ...told('majorPageFaults', group?.majorPageFaults),
});

/** By the id of their sandbox. */
export function containersBySandbox(
  containers: readonly ContainerRecord[],
): ReadonlyMap<string, readonly ContainerRecord[]> {
  const groups = new Map<string, ContainerRecord[]>();
  for (const record of containers) {
    const group = groups.get(record.sandboxId);
    if (group) group.push(record);
    else groups.set(record.sandboxId, [record]);
  }
  return groups;
}

/**
 * The interfaces of a pod's own network namespace, as a process of one of its containers has them; none where it has no
 * such.
 */
export function interfacesOf(
  { netns }: SandboxRecord,
  containers: readonly ContainerRecord[],
): readonly InterfaceCounts[] {
  if (netns === undefined) return [];
  for (const { lifecycle } of containers) {
    if (lifecycle.state !== 'running' || lifecycle.pid === 0) continue;
    const found = networkOf(lifecycle.pid);
    if (found.length > 0) return found;
  }
  return [];
}

function networkUsage(
  interfaces: readonly InterfaceCounts[],
  timestamp: string,
): Init<NetworkUsage> | undefined {
  const all = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes: { value: rxBytes },
    rxErrors: { value: rxErrors },
    txBytes: { value: txBytes },
    txErrors: { value: txErrors },
  }));
  const [first] = all;
  if (!first) return undefined;
  const main = all.find(({ name }) => name === 'eth0') ?? first;
  return { timestamp, defaultInterface: main, interfaces: all };
}

/** `group`: what its control group tells, read once for one answer. */
export function statsOf(
  runtime: Runtime,
  record: ContainerRecord,
  group = runtime.engine.limits.usageOf(record.id),
): Init<ContainerStats> {
  const usage = runtime.engine.liveOf(record.id)?.task?.usage() ?? NONE;
  const timestamp = toNanoseconds(runtime.clock.now());
  const memory = { value: usage.memoryBytes };
  const layer = runtime.layers.usageOf(record.id);
  const waits = waitsOf(group?.pressure);
  return {
    attributes: {
      id: record.id,
      metadata: record.config.metadata,
      labels: record.config.labels,
      annotations: record.config.annotations,
    },
    cpu: { timestamp, usageCoreNanoSeconds: { value: usage.cpuNanoseconds }, ...waits.cpu },
    memory: {
      timestamp,
      workingSetBytes: memory,
      usageBytes: memory,
      rssBytes: memory,
      ...faultsOf(group),
      ...waits.memory,
    },
    ...(group?.pressure ? { io: { timestamp, ...waits.io } } : {}),
    ...(group?.swap === undefined
      ? {}
      : { swap: { timestamp, swapUsageBytes: { value: group.swap } } }),
    writableLayer: {
      timestamp,
      fsId: { mountpoint: runtime.options.root },
      usedBytes: { value: layer.bytes },
      inodesUsed: { value: layer.inodes },
    },
  };
}

export function sandboxStatsOf(
  runtime: Runtime,
  sandbox: SandboxRecord,
  records: readonly ContainerRecord[],
): Init<PodSandboxStats> {
  const timestamp = toNanoseconds(runtime.clock.now());
  const { limits } = runtime.engine;
  const groups = records.map(({ id }) => limits.usageOf(id));
  const containers = records.map((record, i) => statsOf(runtime, record, groups[i]));
  const sum = (read: (stats: Init<ContainerStats>) => number | undefined): { value: number } => ({
    value: containers.reduce((total, stats) => total + (read(stats) ?? 0), 0),
  });
  const memory = sum((stats) => stats.memory?.workingSetBytes?.value);
  const group = groups.some(Boolean) ? limits.podUsageOf(sandbox) : undefined;
  const waits = waitsOf(group?.pressure);
  const network = networkUsage(interfacesOf(sandbox, records), timestamp);
  const processes = records.map(({ lifecycle }, i) =>
    Math.max(groups[i]?.pids.length ?? 0, lifecycle.state === 'running' ? 1 : 0),
  );
  return {
    attributes: {
      id: sandbox.id,
      metadata: sandbox.config.metadata,
      labels: sandbox.config.labels,
      annotations: sandbox.config.annotations,
    },
    linux: {
      cpu: {
        timestamp,
        usageCoreNanoSeconds: sum((stats) => stats.cpu?.usageCoreNanoSeconds?.value),
        ...waits.cpu,
      },
      memory: {
        timestamp,
        workingSetBytes: memory,
        usageBytes: memory,
        rssBytes: memory,
        ...faultsOf(group),
        ...waits.memory,
      },
      ...(group?.pressure ? { io: { timestamp, ...waits.io } } : {}),
      ...(network ? { network } : {}),
      process: {
        timestamp,
        processCount: { value: processes.reduce((total, count) => total + count, 0) },
      },
      containers,
    },
  };
}
