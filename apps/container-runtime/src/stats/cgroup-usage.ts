import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPressure } from '@orrery/component';
import type { Pressure } from '@orrery/component';

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

type Told = Omit<CgroupUsage, 'pids' | 'pressure'>;

/** Where a figure stands: a file of one number, or one of lines `key value`, times the unit. */
interface Source {
  readonly file: string;
  readonly key?: string;
  readonly unit?: number;
  /** Where no limit is told as `max`, or as more than any machine has (cadvisor container/common/helpers.go). */
  readonly isLimit?: boolean;
}

const stat = (file: string, key: string, unit = 1): Source => ({ file, key, unit });
const one = (file: string): Source => ({ file });
const limit = (file: string): Source => ({ file, isLimit: true });
const memory = (key: string): Source => stat('memory.stat', key);

/** What both versions call the same. */
const COMMON = {
  periods: stat('cpu.stat', 'nr_periods'),
  throttledPeriods: stat('cpu.stat', 'nr_throttled'),
  activeFile: memory('active_file'),
  inactiveFile: memory('inactive_file'),
  pageFaults: memory('pgfault'),
  majorPageFaults: memory('pgmajfault'),
} satisfies Partial<Record<keyof Told, Source>>;

const SOURCES: Readonly<Record<1 | 2, Partial<Record<keyof Told, Source>>>> = {
  1: {
    ...COMMON,
    userNs: stat('cpuacct.stat', 'user', TICK_NS),
    systemNs: stat('cpuacct.stat', 'system', TICK_NS),
    throttledNs: stat('cpu.stat', 'throttled_time'),
    cache: memory('cache'),
    mappedFile: memory('mapped_file'),
    swap: memory('swap'),
    maxUsage: one('memory.max_usage_in_bytes'),
    failcnt: one('memory.failcnt'),
    reservation: limit('memory.soft_limit_in_bytes'),
    swapLimit: limit('memory.memsw.limit_in_bytes'),
    oomKills: stat('memory.oom_control', 'oom_kill'),
  },
  2: {
    ...COMMON,
    userNs: stat('cpu.stat', 'user_usec', US),
    systemNs: stat('cpu.stat', 'system_usec', US),
    throttledNs: stat('cpu.stat', 'throttled_usec', US),
    cache: memory('file'),
    mappedFile: memory('file_mapped'),
    swap: one('memory.swap.current'),
    maxUsage: one('memory.peak'),
    reservation: limit('memory.low'),
    swapLimit: limit('memory.swap.max'),
    oomKills: stat('memory.events', 'oom_kill'),
  },
};

/** The first of the folders that has the file: controllers of version 1 have a folder each, or share one. */
function textOf(folders: readonly string[], file: string): string | undefined {
  for (const folder of folders)
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch {
      // Of another controller, or of no kernel as this.
    }
  return undefined;
}

function figureOf(text: string, { key, unit = 1, isLimit = false }: Source): number | undefined {
  // Of version 1, with the groups below, where the kernel sums them up.
  const line =
    key === undefined
      ? /^(\d+)\s*$/.exec(text)
      : (new RegExp(`^total_${key} (\\d+)$`, 'm').exec(text) ??
        new RegExp(`^${key} (\\d+)$`, 'm').exec(text));
  const figure = line ? Number(line[1]) * unit : undefined;
  if (!isLimit) return figure;
  return figure === undefined || figure > 2 ** 62 ? 0 : figure;
}

/** Of the group whose controllers have these folders; a field that no file tells is left out. */
export function cgroupUsage(version: 1 | 2, folders: readonly string[]): CgroupUsage {
  const texts = new Map<string, string | undefined>();
  const read = (file: string): string | undefined => {
    if (!texts.has(file)) texts.set(file, textOf(folders, file));
    return texts.get(file);
  };
  const told = Object.entries(SOURCES[version]).flatMap(([name, source]) => {
    const text = read(source.file);
    const figure = text === undefined ? undefined : figureOf(text, source);
    return figure === undefined ? [] : [[name, figure] as const];
  });
  const pids = (read('cgroup.procs') ?? '').split('\n').flatMap((line) => {
    const pid = Number(line);
    return pid > 0 ? [pid] : [];
  });
  const [folder = ''] = folders;
  const pressure =
    version === 2 ? readPressure((name) => join(folder, `${name}.pressure`)) : undefined;
  return { ...(Object.fromEntries(told) as Told), pids, ...(pressure ? { pressure } : {}) };
}
