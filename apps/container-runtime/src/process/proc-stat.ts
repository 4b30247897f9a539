import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

interface ProcStat {
  readonly state: string;
  readonly session: number;
  readonly cpuTicks: number;
  /** Clock ticks after boot: with the pid it names one process for ever. */
  readonly start: string;
  readonly rssPages: number;
}

/** /proc/PID/stat; undefined when there is no such process. See proc(5) for the fields. */
function readStat(pid: number): ProcStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in parentheses and may hold spaces: count from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): string => fields[number - 3] ?? '0';
    return {
      state: field(3),
      session: Number(field(6)),
      cpuTicks: Number(field(14)) + Number(field(15)),
      start: field(22),
      rssPages: Number(field(24)),
    };
  } catch {
    return undefined;
  }
}

/** Of a living process; undefined when it is gone or a zombie. */
export function startOf(pid: number): string | undefined {
  const stat = readStat(pid);
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? stat.start : undefined;
}

/** Whether a process has that root: since when its namespaces have all that the container sees. */
export function hasRoot(pid: number, root: string): boolean {
  if (pid === 0) return false;
  try {
    return readlinkSync(`/proc/${pid}/root`) === root;
  } catch {
    return false;
  }
}

/** Whether a command does its own work: it waits for something, or catches that signal. */
export function isUnderWay(pid: number, signal: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    const caught = BigInt(`0x${/^SigCgt:\t(\w+)/m.exec(text)?.[1] ?? '0'}`);
    return /^State:\t[SIT]/m.test(text) || ((caught >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return true;
  }
}

/** Linux reports times in 1/100 s whatever the kernel's HZ, and x86-64 and arm64 here have pages of 4096 bytes. */
const NANOSECONDS_PER_TICK = 10_000_000;
const PAGE = 4096;

/** CPU and memory of all processes of a session. */
export function sessionUsage(session: number): { cpuNanoseconds: number; memoryBytes: number } {
  let ticks = 0;
  let pages = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat?.session !== session) continue;
    ticks += stat.cpuTicks;
    pages += stat.rssPages;
  }
  return { cpuNanoseconds: ticks * NANOSECONDS_PER_TICK, memoryBytes: pages * PAGE };
}
