import { toNanoseconds } from '@orrery/cri';
import type { ContainerStats, Init, PodSandboxStats } from '@orrery/cri';
import type { Runtime } from '../../runtime.js';
import type { ContainerRecord } from '../../store/container.js';
import type { SandboxRecord } from '../../store/sandbox.js';

const NONE = { cpuNanoseconds: 0, memoryBytes: 0 };

export function statsOf(runtime: Runtime, record: ContainerRecord): Init<ContainerStats> {
  const usage = runtime.engine.liveOf(record.id)?.task?.usage() ?? NONE;
  const timestamp = toNanoseconds(runtime.clock.now());
  const memory = { value: usage.memoryBytes };
  const layer = runtime.layers.usageOf(record.id);
  return {
    attributes: {
      id: record.id,
      metadata: record.config.metadata,
      labels: record.config.labels,
      annotations: record.config.annotations,
    },
    cpu: { timestamp, usageCoreNanoSeconds: { value: usage.cpuNanoseconds } },
    memory: { timestamp, workingSetBytes: memory, usageBytes: memory, rssBytes: memory },
    writableLayer: {
      timestamp,
      fsId: { mountpoint: runtime.options.root },
      usedBytes: { value: layer.bytes },
      inodesUsed: { value: layer.inodes },
    },
  };
}

export function sandboxStatsOf(runtime: Runtime, sandbox: SandboxRecord): Init<PodSandboxStats> {
  const timestamp = toNanoseconds(runtime.clock.now());
  const records = runtime.containers.list().filter(({ sandboxId }) => sandboxId === sandbox.id);
  const containers = records.map((record) => statsOf(runtime, record));
  const sum = (read: (stats: Init<ContainerStats>) => number | undefined): { value: number } => ({
    value: containers.reduce((total, stats) => total + (read(stats) ?? 0), 0),
  });
  const memory = sum((stats) => stats.memory?.workingSetBytes?.value);
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
      },
      memory: { timestamp, workingSetBytes: memory, usageBytes: memory, rssBytes: memory },
      process: { timestamp, processCount: { value: containers.length } },
      containers,
    },
  };
}
