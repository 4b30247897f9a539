import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How long work has waited; shares in per cent of the last 10, 60 and 300 s. */
export interface PressureData {
  readonly total: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** `some`: at least one task waited; `full`: all did. Totals in ns. */
export interface PressureStats {
  readonly some: PressureData;
  readonly full: PressureData;
}

export type Pressure = Readonly<Record<'cpu' | 'memory' | 'io', PressureStats>>;

/** What the kernel tells of one control group; a field is absent where it does not tell. Times in ns, sizes in bytes. */
export interface CgroupUsage {
  readonly userNs?: number | undefined;
  readonly systemNs?: number | undefined;
  readonly periods?: number | undefined;
  readonly throttledPeriods?: number | undefined;
  readonly throttledNs?: number | undefined;
  readonly cache?: number | undefined;
  readonly mappedFile?: number | undefined;
  readonly activeFile?: number | undefined;
  readonly inactiveFile?: number | undefined;
  readonly swap?: number | undefined;
  readonly maxUsage?: number | undefined;
  readonly failcnt?: number | undefined;
  readonly pageFaults?: number | undefined;
  readonly majorPageFaults?: number | undefined;
  /** 0 = no limit, as the next. */
  readonly reservation?: number | undefined;
  readonly swapLimit?: number | undefined;
  readonly oomKills?: number | undefined;
  /** Of the processes of the group itself. */
  readonly pids: readonly number[];
  readonly pressure?: Pressure | undefined;
}

const US = 1_000;
/** Linux reports times in 1/100 s whatever the kernel's HZ. */
const TICK_NS = 10_000_000;

/** The first of the folders that has the file. */
function textOf(folders: readonly string[], file: string): string | undefined {
  for (const folder of folders)
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch {
      // Of another controller, or of no kernel as this.
    }
  return undefined;
}

/** Reads the value of a line `key value`, times `unit`. */
type Field = (key: string, unit?: number) => number | undefined;

function fieldsOf(text: string | undefined): Field {
  return (key, unit = 1) => {
    const found = text === undefined ? null : new RegExp(`^${key} (\\d+)$`, 'm').exec(text);
    return found ? Number(found[1]) * unit : undefined;
  };
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);

/** No limit is told as `max`, or as more than any machine has (cadvisor container/common/helpers.go). */
function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = numberOf(text) ?? 0;
  return limit > 2 ** 62 ? 0 : limit;
}

function dataOf(text: string, kind: 'some' | 'full'): PressureData {
  const line = text.split('\n').find((one) => one.startsWith(`${kind} `)) ?? '';
  const number = (name: string): number =>
    Number(new RegExp(`${name}=([\\d.]+)`).exec(line)?.[1] ?? 0);
  return {
    total: number('total') * US,
    avg10: number('avg10'),
    avg60: number('avg60'),
    avg300: number('avg300'),
  };
}

/** Pressure stall information of a group of version 2; undefined where the kernel keeps none. */
export function pressureOf(folders: readonly string[]): Pressure | undefined {
  const read = (name: string): PressureStats | undefined => {
    const text = textOf(folders, `${name}.pressure`);
    return text === undefined
      ? undefined
      : { some: dataOf(text, 'some'), full: dataOf(text, 'full') };
  };
  const [cpu, memory, io] = [read('cpu'), read('memory'), read('io')];
  return cpu && memory && io ? { cpu, memory, io } : undefined;
}

/** Of processes in a group of version 1, whose controllers have a folder each. */
function usageOfV1(folders: readonly string[]): Omit<CgroupUsage, 'pids'> {
  const stat = fieldsOf(textOf(folders, 'memory.stat'));
  // With the groups below, where the kernel sums them up.
  const memory = (key: string): number | undefined => stat(`total_${key}`) ?? stat(key);
  // The controllers cpu and cpuacct may lie in one folder: each file is looked for in all.
  const cpu = fieldsOf(textOf(folders, 'cpu.stat'));
  const account = fieldsOf(textOf(folders, 'cpuacct.stat'));
  const of = (file: string): string | undefined => textOf(folders, file);
  return {
    userNs: account('user', TICK_NS),
    systemNs: account('system', TICK_NS),
    periods: cpu('nr_periods'),
    throttledPeriods: cpu('nr_throttled'),
    throttledNs: cpu('throttled_time'),
    cache: memory('cache'),
    mappedFile: memory('mapped_file'),
    activeFile: memory('active_file'),
    inactiveFile: memory('inactive_file'),
    swap: memory('swap'),
    maxUsage: numberOf(of('memory.max_usage_in_bytes')),
    failcnt: numberOf(of('memory.failcnt')),
    pageFaults: memory('pgfault'),
    majorPageFaults: memory('pgmajfault'),
    reservation: limitOf(of('memory.soft_limit_in_bytes')),
    swapLimit: limitOf(of('memory.memsw.limit_in_bytes')),
    oomKills: fieldsOf(of('memory.oom_control'))('oom_kill'),
  };
}

function usageOfV2(folders: readonly string[]): Omit<CgroupUsage, 'pids'> {
  const of = (file: string): string | undefined => textOf(folders, file);
  const cpu = fieldsOf(of('cpu.stat'));
  const memory = fieldsOf(of('memory.stat'));
  return {
    userNs: cpu('user_usec', US),
    systemNs: cpu('system_usec', US),
    periods: cpu('nr_periods'),
    throttledPeriods: cpu('nr_throttled'),
    throttledNs: cpu('throttled_usec', US),
    cache: memory('file'),
    mappedFile: memory('file_mapped'),
    activeFile: memory('active_file'),
    inactiveFile: memory('inactive_file'),
    swap: numberOf(of('memory.swap.current')),
    maxUsage: numberOf(of('memory.peak')),
    pageFaults: memory('pgfault'),
    majorPageFaults: memory('pgmajfault'),
    reservation: limitOf(of('memory.low')),
    swapLimit: limitOf(of('memory.swap.max')),
    oomKills: fieldsOf(of('memory.events'))('oom_kill'),
    pressure: pressureOf(folders),
  };
}

/** Of the group whose controllers have these folders; a field that no file tells is left out. */
export function cgroupUsage(version: 1 | 2, folders: readonly string[]): CgroupUsage {
  const pids = (textOf(folders, 'cgroup.procs') ?? '').split('\n').flatMap((line) => {
    const pid = Number(line);
    return pid > 0 ? [pid] : [];
  });
  return { ...(version === 1 ? usageOfV1(folders) : usageOfV2(folders)), pids };
}
