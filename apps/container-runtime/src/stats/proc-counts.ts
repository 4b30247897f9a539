import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface ProcCounts {
  readonly threads: number;
  readonly fileDescriptors: number;
  readonly sockets: number;
}

const tried = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};

function countsOf(pid: number): ProcCounts {
  const fds = tried(() => readdirSync(`/proc/${pid}/fd`), []);
  const isSocket = (fd: string): boolean =>
    tried(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '').startsWith('socket:');
  return {
    threads: tried(() => readdirSync(`/proc/${pid}/task`).length, 0),
    fileDescriptors: fds.length,
    sockets: fds.filter(isSocket).length,
  };
}

/** What the processes have open; one that has ended meanwhile counts nothing. */
export function procCounts(pids: readonly number[]): ProcCounts {
  const all = pids.map(countsOf);
  const sum = (key: keyof ProcCounts): number => all.reduce((total, one) => total + one[key], 0);
  return {
    threads: sum('threads'),
    fileDescriptors: sum('fileDescriptors'),
    sockets: sum('sockets'),
  };
}

export interface InterfaceCounts {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Lines of /proc/PID/net/dev, without the loopback (see proc(5)). */
export function parseNetDev(text: string): readonly InterfaceCounts[] {
  return text.split('\n').flatMap((line) => {
    const [, name, rest = ''] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === 'lo') return [];
    const at = rest.trim().split(/\s+/).map(Number);
    const field = (index: number): number => at[index] ?? 0;
    return [
      {
        name,
        rxBytes: field(0),
        rxPackets: field(1),
        rxErrors: field(2),
        rxDropped: field(3),
        txBytes: field(8),
        txPackets: field(9),
        txErrors: field(10),
        txDropped: field(11),
      },
    ];
  });
}

/** Of the network namespace that the process is in; none when that is this process's own, or the process has ended. */
export function networkOf(pid: number): readonly InterfaceCounts[] {
  return tried(() => {
    if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return [];
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  }, []);
}
