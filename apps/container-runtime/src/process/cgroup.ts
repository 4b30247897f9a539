import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cgroupUsage } from '../stats/cgroup-usage.js';
import type { CgroupUsage } from '../stats/cgroup-usage.js';

/** What a container may use; 0 = as much as there is. */
export interface CgroupLimits {
  readonly memoryBytes: number;
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly cpuShares: number;
}

/** Files of one version of cgroups, below a group's folder. */
interface Layout {
  /** Folders in which a group is made: one for each controller, or one for all. */
  readonly roots: readonly string[];
  write(folders: readonly string[], limits: CgroupLimits): void;
  /** File and pattern that tell how many processes were killed for want of memory. */
  readonly oom: readonly [file: string, pattern: RegExp];
}

const MOUNT = '/sys/fs/cgroup';
/** Less than this and not even a shell starts. */
const MINIMUM_MEMORY = 4 * 1024 * 1024;

const put = (folder: string, file: string, value: string | number): void => {
  writeFileSync(join(folder, file), String(value));
};

/** CPU time by user and system is told in the folder of `cpu`, or in one of its own. */
const ACCOUNT = join(MOUNT, 'cpuacct');
const hasOwnAccount = (): boolean =>
  existsSync(ACCOUNT) && !existsSync(join(MOUNT, 'cpu', 'cpuacct.stat'));

const V1: Layout = {
  roots: [join(MOUNT, 'memory'), join(MOUNT, 'cpu'), ...(hasOwnAccount() ? [ACCOUNT] : [])],
  write: ([memory = '', cpu = ''], limits) => {
    const bytes = limits.memoryBytes > 0 ? Math.max(limits.memoryBytes, MINIMUM_MEMORY) : -1;
    put(memory, 'memory.limit_in_bytes', bytes);
    if (existsSync(join(cpu, 'cpu.cfs_period_us')) && limits.cpuPeriod > 0)
      put(cpu, 'cpu.cfs_period_us', limits.cpuPeriod);
    if (existsSync(join(cpu, 'cpu.cfs_quota_us')))
      put(cpu, 'cpu.cfs_quota_us', limits.cpuQuota > 0 ? limits.cpuQuota : -1);
    if (limits.cpuShares > 0) put(cpu, 'cpu.shares', limits.cpuShares);
  },
  oom: ['memory.oom_control', /^oom_kill (\d+)/m],
};

/** Weight of shares (runc libcontainer/cgroups/utils.go:ConvertCPUSharesToCgroupV2Value). */
const weightOf = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

const V2: Layout = {
  roots: [MOUNT],
  write: ([folder = ''], limits) => {
    const bytes = Math.max(limits.memoryBytes, MINIMUM_MEMORY);
    put(folder, 'memory.max', limits.memoryBytes > 0 ? bytes : 'max');
    const quota = limits.cpuQuota > 0 ? limits.cpuQuota : 'max';
    put(folder, 'cpu.max', `${quota} ${limits.cpuPeriod > 0 ? limits.cpuPeriod : 100_000}`);
    if (limits.cpuShares > 0) put(folder, 'cpu.weight', weightOf(limits.cpuShares));
  },
  oom: ['memory.events', /^oom_kill (\d+)/m],
};

const NO_LIMITS: CgroupLimits = { memoryBytes: 0, cpuQuota: 0, cpuPeriod: 100_000, cpuShares: 0 };
const PARENT = 'orrery';

/** What a container sees of its group: a folder of the machine, and where it lies. */
export interface CgroupView {
  readonly folder: string;
  readonly at: string;
}

/** The control group of one container, or of a pod with those of its containers below. */
export class Cgroup {
  private constructor(
    private readonly layout: Layout,
    private readonly folders: readonly string[],
  ) {}

  /** A group of that name below those before it, new or found again; undefined where this machine does not let us. */
  static open(...names: readonly string[]): Cgroup | undefined {
    const layout = existsSync(join(MOUNT, 'cgroup.controllers')) ? V2 : V1;
    try {
      if (layout === V2) delegate(MOUNT, names.slice(0, -1));
      return new Cgroup(
        layout,
        layout.roots.map((root) => makeGroup(root, PARENT, ...names)),
      );
    } catch {
      return undefined;
    }
  }

  /** What the kernel tells of it now. */
  usage(): CgroupUsage {
    return cgroupUsage(this.layout === V2 ? 2 : 1, this.folders);
  }

  get views(): readonly CgroupView[] {
    return this.folders.map((folder, i) => ({ folder, at: this.layout.roots[i] ?? MOUNT }));
  }

  /** Whether limits can be set on this machine. */
  static probe(name: string): boolean {
    const group = Cgroup.open(`${name}-probe`);
    try {
      group?.limit({ ...NO_LIMITS, memoryBytes: 64 * 1024 * 1024 });
      return group !== undefined;
    } catch {
      return false;
    } finally {
      group?.remove();
    }
  }

  /** Files into which a process writes its id to be limited. */
  get memberFiles(): readonly string[] {
    return this.folders.map((folder) => join(folder, 'cgroup.procs'));
  }

  /** Throws where the kernel refuses, e.g. a limit below what is in use. */
  limit(limits: CgroupLimits): void {
    this.layout.write(this.folders, limits);
  }

  /** Some process of the group was killed for want of memory. */
  get oomKilled(): boolean {
    const [file, pattern] = this.layout.oom;
    try {
      const text = readFileSync(join(this.folders[0] ?? '', file), 'utf8');
      return Number(pattern.exec(text)?.[1] ?? 0) > 0;
    } catch {
      return false;
    }
  }

  /** Only an empty group goes, and that of its pod when it was the last; false when it is left. */
  remove(): boolean {
    const gone = this.folders.map(removeGroup).every((each) => each);
    for (const folder of this.folders)
      if (gone && basename(dirname(folder)) !== PARENT) removeGroup(dirname(folder));
    return gone;
  }
}

/** False when something is left in it. */
function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/**
 * Folders below `root`, one in the other. Throws where `root` is not there, as /sys/fs/cgroup/memory in a network
 * namespace of ip-netns(8): mkdir of sysfs answers ENOENT to everything, which sends Node's recursive mkdirSync round
 * and round for ever.
 */
export function makeGroup(root: string, ...names: readonly string[]): string {
  let folder = root;
  for (const name of names) {
    folder = join(folder, name);
    try {
      mkdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return folder;
}

/** Lets groups below ours, and below those of these names, limit memory and CPU. */
function delegate(root: string, names: readonly string[]): void {
  let folder = root;
  for (const name of ['', PARENT, ...names]) {
    if (name !== '') folder = makeGroup(folder, name);
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory +cpu');
  }
}
