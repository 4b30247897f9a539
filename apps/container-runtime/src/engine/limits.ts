import { machineTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import type { ContainerRecord } from '../store/container.js';
import { Cgroup } from '../process/cgroup.js';
import type { CgroupLimits, CgroupView } from '../process/cgroup.js';
import type { CgroupUsage } from '../stats/cgroup-usage.js';
import type { SandboxRecord } from '../store/sandbox.js';
import type { Exit, Task } from './task.js';

/** How often it is looked whether the last processes have ended, and how long at most. */
const ENDING_MS = 5;
const MOST_ENDING_MS = 2_000;

/** How often the memory of a container without control group is compared with its limit. */
const WATCH_MS = 250;

const REMOVE_AGAIN_MS = 1_000;

export const OOM_KILLED: Exit = { exitCode: 137, reason: 'OOMKilled' };

/** Of a container, or of a pod. */
export function limitsOf({ config }: ContainerRecord | SandboxRecord): CgroupLimits {
  const linux = config.linux?.resources;
  return {
    memoryBytes: linux?.memoryLimitInBytes ?? 0,
    cpuQuota: linux?.cpuQuota ?? 0,
    cpuPeriod: linux?.cpuPeriod ?? 0,
    cpuShares: linux?.cpuShares ?? 0,
  };
}

/** The kubelet's name of a pod's group (k8s pkg/kubelet/cm/pod_container_manager_linux.go:GetPodContainerName). */
const podGroupOf = ({ id, config }: SandboxRecord): string => {
  const uid = config.metadata?.uid ?? '';
  return `pod${/^[\w.-]+$/.test(uid) ? uid : id}`;
};

/**
 * Keeps containers within their limits: by control groups where this machine lets us, else by looking at the memory of
 * their processes. What a built-in program uses is what its script says.
 */
export class ContainerLimits {
  private readonly groups = new Map<string, Cgroup>();
  private readonly left = new Set<Cgroup>();
  readonly enforced: boolean;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Off in specs that need no control groups. */
    enabled = true,
  ) {
    this.enforced = enabled && Cgroup.probe(`probe-${process.pid}`);
  }

  /** Makes the groups of the pod and of its container, before the first process. */
  prepare(record: ContainerRecord, sandbox: SandboxRecord): void {
    if (!this.enforced) return;
    const pod = podGroupOf(sandbox);
    const groups = [
      { group: Cgroup.open(pod), limits: limitsOf(sandbox) },
      { group: Cgroup.open(pod, record.id), limits: limitsOf(record) },
    ];
    const own = groups[1]?.group;
    if (!own) return;
    this.groups.set(record.id, own);
    try {
      for (const { group, limits } of groups) group?.limit(limits);
    } catch (error) {
      this.logger.warn('limits not set', { container: record.id, error: String(error) });
    }
  }

  /** New limits of a pod; throws what the kernel answers. Those of a pod without groups come with its first. */
  updatePod(sandbox: SandboxRecord, containers: readonly ContainerRecord[]): void {
    const runs = containers.some((one) => one.sandboxId === sandbox.id && this.groups.has(one.id));
    if (runs) Cgroup.open(podGroupOf(sandbox))?.limit(limitsOf(sandbox));
  }

  /** What the kernel tells of the container's group; undefined without one, or when no process is in it. */
  usageOf(id: string): CgroupUsage | undefined {
    const usage = this.groups.get(id)?.usage();
    return usage && usage.pids.length > 0 ? usage : undefined;
  }

  /** The same of the pod's; call it only while a process is in that of one of its containers. */
  podUsageOf(sandbox: SandboxRecord): CgroupUsage | undefined {
    return Cgroup.open(podGroupOf(sandbox))?.usage();
  }

  /** What the container sees of its group. */
  views(id: string): readonly CgroupView[] {
    return this.groups.get(id)?.views ?? [];
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
  recover(record: ContainerRecord, sandbox: SandboxRecord | undefined): void {
    if (!this.enforced || !sandbox) return;
    const group = Cgroup.open(podGroupOf(sandbox), record.id);
    if (group) this.groups.set(record.id, group);
  }

  /** The last processes of a group may still be on their way out. */
  remove(id: string): void {
    const group = this.groups.get(id);
    if (!group) return;
    this.groups.delete(id);
    if (group.remove()) return;
    this.left.add(group);
    this.clock.after(REMOVE_AGAIN_MS, () => this.removeLeft(), { unref: true });
  }

  /** Resolves when the processes of all groups that were left have ended, and the groups are gone. */
  async emptied(): Promise<void> {
    const clock = machineTime(this.clock);
    const deadline = clock.monotonic() + MOST_ENDING_MS;
    this.removeLeft();
    while (this.left.size > 0 && clock.monotonic() < deadline) {
      await clock.sleep(ENDING_MS);
      this.removeLeft();
    }
  }

  /** Groups whose last processes were still on their way out. */
  removeLeft(): void {
    for (const group of this.left) if (group.remove()) this.left.delete(group);
  }
}
