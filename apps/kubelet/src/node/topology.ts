import { readFileSync } from 'node:fs';

/** How the machine's processors lie; a field is absent where the kernel does not tell. */
export interface Topology {
  readonly sockets?: number;
  readonly physicalCores?: number;
  readonly swapBytes?: number;
}

function fieldsOf(block: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*: (\\S+)$`, 'm').exec(block)?.[1];
}

/** Of the texts of /proc/cpuinfo and /proc/meminfo (see proc(5)). */
export function topologyOf(cpuinfo: string, meminfo: string): Topology {
  const sockets = new Set<string>();
  const cores = new Set<string>();
  for (const block of cpuinfo.split('\n\n')) {
    const socket = fieldsOf(block, 'physical id');
    const core = fieldsOf(block, 'core id');
    if (socket !== undefined) sockets.add(socket);
    if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`);
  }
  const swap = /^SwapTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return {
    ...(sockets.size > 0 ? { sockets: sockets.size } : {}),
    ...(cores.size > 0 ? { physicalCores: cores.size } : {}),
    ...(swap === undefined ? {} : { swapBytes: Number(swap) * 1024 }),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export const readTopology = (): Topology =>
  topologyOf(textOf('/proc/cpuinfo'), textOf('/proc/meminfo'));
