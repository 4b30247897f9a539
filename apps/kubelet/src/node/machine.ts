import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, freemem, hostname, release, totalmem } from 'node:os';
import type { Pressure } from '@orrery/component';

/** What the kubelet tells of the machine it runs on. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly availableMemoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly availableStorageBytes: number;
  readonly hostname: string;
  /** Go's name of the architecture. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
  /** Read when it is asked for; undefined where the kernel keeps none. */
  readonly pressure?: Pressure | undefined;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function osImage(): string {
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readText('/etc/os-release'))?.[1] ?? 'Linux';
}

/** Reads the machine; `dir` lies on the file system whose space counts as ephemeral storage. */
export function readMachine(dir: string): Machine {
  const disk = statfsSync(dir);
  const machineArch = arch();
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    availableMemoryBytes: freemem(),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
    availableStorageBytes: disk.bavail * disk.bsize,
    hostname: hostname().toLowerCase(),
    architecture: ARCHITECTURES[machineArch] ?? machineArch,
    kernelVersion: release(),
    osImage: osImage(),
    machineId: readText('/etc/machine-id'),
    bootId: readText('/proc/sys/kernel/random/boot_id'),
  };
}
