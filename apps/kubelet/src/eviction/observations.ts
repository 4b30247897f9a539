import { readFileSync, statfsSync } from 'node:fs';
import type { Machine } from '../node/machine.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import type { Signal } from './thresholds.js';

export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = Readonly<Partial<Record<Signal, Observation>>>;

export interface ObservationSources {
  readonly machine: Machine;
  readonly usage: readonly ContainerUsage[];
  /** Bytes of all images. */
  readonly imageBytes: number;
  /** On the file system that is watched. */
  readonly rootDir: string;
}

function readNumber(path: string, pattern: RegExp): number | undefined {
  try {
    const found = pattern.exec(readFileSync(path, 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}

/** Free memory by the machine, and by what the pods are said to use: the smaller one counts. */
function memory({ machine, usage }: ObservationSources): Observation {
  const free = readNumber('/proc/meminfo', /^MemAvailable:\s+(\d+) kB/m);
  const byMachine = free === undefined ? machine.availableMemoryBytes : free * 1024;
  const used = usage.reduce((sum, one) => sum + one.memoryWorkingSetBytes, 0);
  const capacity = machine.memoryBytes;
  return { available: Math.max(0, Math.min(byMachine, capacity - used)), capacity };
}

function processes(): Observation | undefined {
  const capacity = readNumber('/proc/sys/kernel/pid_max', /^(\d+)/);
  const running = readNumber('/proc/loadavg', /^\S+ \S+ \S+ \d+\/(\d+)/);
  if (capacity === undefined || running === undefined) return undefined;
  return { available: capacity - running, capacity };
}

/** What the node has and what is left of it, by eviction signal (k8s pkg/kubelet/eviction/helpers.go:makeSignalObservations). */
export function observe(sources: ObservationSources): Observations {
  const { machine, imageBytes, rootDir } = sources;
  const capacity = machine.ephemeralStorageBytes;
  const pids = processes();
  const disk = statfsSync(rootDir);
  return {
    'memory.available': memory(sources),
    'nodefs.available': { available: machine.availableStorageBytes, capacity },
    ...(disk.files > 0
      ? { 'nodefs.inodesFree': { available: disk.ffree, capacity: disk.files } }
      : {}),
    'imagefs.available': {
      available: Math.max(0, Math.min(machine.availableStorageBytes, capacity - imageBytes)),
      capacity,
    },
    ...(pids ? { 'pid.available': pids } : {}),
  };
}
