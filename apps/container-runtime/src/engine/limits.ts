import { machineTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import type { ContainerRecord } from '../store/container.js';
import { Cgroup } from '../process/cgroup.js';
import type { CgroupLimits } from '../process/cgroup.js';
import type { Exit, Task } from './task.js';

/** How often the memory of a container without control group is compared with its limit. */
const WATCH_MS = 250;

const REMOVE_AGAIN_MS = 1_000;

export const OOM_KILLED: Exit = { exitCode: 137, reason: 'OOMKilled' };

export function limitsOf({ config }: ContainerRecord): CgroupLimits {
  const linux = config.linux?.resources;
  return {
    memoryBytes: linux?.memoryLimitInBytes ?? 0,
    cpuQuota: linux?.cpuQuota ?? 0,
    cpuPeriod: linux?.cpuPeriod ?? 0,
    cpuShares: linux?.cpuShares ?? 0,
  };
}

/**
 * Keeps containers within their limits: by control groups where this machine lets us, else by looking at the memory of
 * their processes. What a built-in program uses is what its script says.
 */
export class ContainerLimits {
  private readonly groups = new Map<string, Cgroup>();
  readonly enforced: boolean;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Off in specs that need no control groups. */
    enabled = true,
  ) {
    this.enforced = enabled && Cgroup.probe(`probe-${process.pid}`);
  }

  /** Makes the container's group, before its first process. */
  prepare(record: ContainerRecord): void {
    if (!this.enforced) return;
    const group = Cgroup.open(record.id);
    if (!group) return;
    this.groups.set(record.id, group);
    try {
      group.limit(limitsOf(record));
    } catch (error) {
      this.logger.warn('limits not set', { container: record.id, error: String(error) });
    }
  }

  /** Files into which each process of the container writes its id; none without a group. */
  memberFiles(id: string): readonly string[] {
    return this.groups.get(id)?.memberFiles ?? [];
  }

  /** New limits of a running container; throws what the kernel answers. */
  update(record: ContainerRecord): void {
    this.groups.get(record.id)?.limit(limitsOf(record));
  }

  /** Calls `onOom` when the task uses more memory than `limit` says, and no group would see it. */
  watch(task: Task, id: string, limit: () => number, onOom: () => void): void {
    if (task.foreign || (task.pid > 0 && this.groups.has(id))) return;
    let done = false;
    const clock = machineTime(this.clock);
    const look = (): void => {
      if (done) return;
      const bytes = limit();
      if (bytes > 0 && task.usage().memoryBytes > bytes) onOom();
      else clock.after(WATCH_MS, look, { unref: true });
    };
    void task.exited.then(() => {
      done = true;
    });
    clock.after(WATCH_MS, look, { unref: true });
  }

  /** The end as the kubelet shall see it: killed for want of memory, or as it was. */
  verdict(id: string, exit: Exit): Exit {
    const killed = this.groups.get(id)?.oomKilled === true && exit.exitCode !== 0;
    return killed ? { ...exit, ...OOM_KILLED } : exit;
  }

  /** After a restart: the groups of containers that still run. */
  recover(record: ContainerRecord): void {
    if (!this.enforced) return;
    const group = Cgroup.open(record.id);
    if (group) this.groups.set(record.id, group);
  }

  /** The last processes of a group may still be on their way out. */
  remove(id: string): void {
    const group = this.groups.get(id);
    if (!group) return;
    this.groups.delete(id);
    if (!group.remove())
      this.clock.after(REMOVE_AGAIN_MS, () => void group.remove(), { unref: true });
  }
}
