import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CriError } from '@orrery/cri';
import type { ContainerEventType } from '@orrery/cri';
import type { Clock, Logger } from '@orrery/component';
import type { Catalog } from '../catalog/catalog.js';
import { CriLog } from '../logs/cri-log.js';
import type { ContainerEnvironment } from '../process/environment.js';
import { adoptProcess } from '../process/adopted-task.js';
import { startOf } from '../process/proc-stat.js';
import { ProcessTask } from '../process/process-task.js';
import { toContainerStatus } from '../store/container.js';
import type { ContainerLifecycle, ContainerRecord } from '../store/container.js';
import type { RecordStore } from '../store/record-store.js';
import { toSandboxStatus } from '../store/sandbox.js';
import type { SandboxRecord } from '../store/sandbox.js';
import type { ContainerEvents } from './container-events.js';
import { ContainerLimits, OOM_KILLED, limitsOf } from './limits.js';
import { LiveContainer } from './live-container.js';
import { scriptOf } from './script.js';
import type { Script } from './script.js';
import { withScriptedUsage } from './scripted-usage.js';
import { isProcess, planOf, startTask } from './start-task.js';
import type { Exit, StopSignal, Task } from './task.js';

export interface EngineOptions {
  readonly root: string;
  readonly node: string;
  readonly componentDir: string;
  readonly adoptDir: string;
  readonly catalog: Catalog;
  readonly sandboxes: RecordStore<SandboxRecord>;
  readonly containers: RecordStore<ContainerRecord>;
  readonly events: ContainerEvents;
  readonly clock: Clock;
  readonly logger: Logger;
  environmentOf(record: ContainerRecord, sandbox: SandboxRecord): ContainerEnvironment;
}

/** How long host processes have to end when the runtime stops. */
const SHUTDOWN_MS = 2_000;

/** Starts and stops containers, and records what becomes of them. */
export class ContainerEngine {
  private readonly live = new Map<string, LiveContainer>();
  private readonly endedProcesses = new Set<string>();
  private isShutDown = false;
  readonly limits: ContainerLimits;

  constructor(private readonly options: EngineOptions) {
    this.limits = new ContainerLimits(options.clock, options.logger);
  }

  folderOf(id: string): string {
    return join(this.options.root, 'run', id);
  }

  liveOf(id: string): LiveContainer | undefined {
    return this.live.get(id);
  }

  environmentOf(record: ContainerRecord): ContainerEnvironment {
    return this.options.environmentOf(record, this.options.sandboxes.get(record.sandboxId));
  }

  async start(record: ContainerRecord): Promise<void> {
    const { sandboxes, clock, catalog, node, componentDir, adoptDir } = this.options;
    const state = record.lifecycle.state;
    if (state !== 'created' || this.live.has(record.id))
      throw new CriError('UNKNOWN', `container ${record.id} is in ${state} state`);
    const sandbox = sandboxes.get(record.sandboxId);
    if (!sandbox.ready)
      throw new CriError('UNKNOWN', `sandbox container "${sandbox.id}" is not running`);
    const folder = this.folderOf(record.id);
    mkdirSync(folder, { recursive: true });
    const live = new LiveContainer(new CriLog(record.logPath, clock));
    this.live.set(record.id, live);
    this.limits.prepare(record, sandbox);
    const environment = this.options.environmentOf(record, sandbox);
    const script = scriptOf({
      container: record.config.metadata?.name ?? '',
      annotations: sandbox.config.annotations,
      env: environment.options.env,
      image: catalog.behaviourOf(record.image),
    });
    try {
      const task = await startTask({
        record,
        sandbox,
        environment,
        live,
        script,
        catalog,
        clock,
        node,
        folder,
        componentDir,
        adoptDir,
        endedProcesses: this.endedProcesses,
      });
      const scripted = withScriptedUsage(task, script, clock);
      this.run(record, live, scripted);
      this.perform(record.id, live, scripted, script);
    } catch (error) {
      throw this.startFailed(record, live, error);
    }
  }

  private startFailed(record: ContainerRecord, live: LiveContainer, cause: unknown): CriError {
    const text = cause instanceof Error ? cause.message : String(cause);
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${text}: unknown`;
    live.log.close();
    this.live.delete(record.id);
    const now = this.options.clock.now();
    this.save(record, {
      state: 'exited',
      startedAt: 0,
      finishedAt: now,
      exitCode: text.startsWith('exec:') ? 127 : 128,
      reason: 'StartError',
      message,
    });
    return new CriError('UNKNOWN', message, { cause });
  }

  private run(record: ContainerRecord, live: LiveContainer, task: Task, startedAt?: number): void {
    if (!this.options.containers.find(record.id)) {
      // Removed while it was starting.
      this.live.delete(record.id);
      live.log.close();
      task.signal('SIGKILL');
      return;
    }
    live.task = task;
    const lifecycle = {
      state: 'running',
      startedAt: startedAt ?? this.options.clock.now(),
      pid: task.pid,
      pidStart: task.pidStart,
    } as const;
    this.save(record, lifecycle);
    this.emit(record.id, 'CONTAINER_STARTED_EVENT');
    void task.exited.then((exit) => {
      this.finish(record.id, lifecycle.startedAt, this.limits.verdict(record.id, exit));
    });
    const limit = (): number => {
      const now = this.options.containers.find(record.id);
      return now ? limitsOf(now).memoryBytes : 0;
    };
    this.limits.watch(task, record.id, limit, () => {
      this.finish(record.id, lifecycle.startedAt, OOM_KILLED);
      task.signal('SIGKILL');
    });
  }

  /** First end wins: a scripted crash comes before the kill that it causes. */
  private finish(id: string, startedAt: number, exit: Exit): void {
    const live = this.live.get(id);
    const record = this.options.containers.find(id);
    if (!live || !record) return;
    this.live.delete(id);
    live.log.close();
    if (live.task && exit.exitCode !== 137)
      this.endedProcesses.add(`${live.task.pid}/${live.task.pidStart}`);
    this.save(record, {
      state: 'exited',
      startedAt,
      finishedAt: this.options.clock.now(),
      exitCode: exit.exitCode,
      reason: exit.reason ?? (exit.exitCode === 0 ? 'Completed' : 'Error'),
      message: exit.message ?? '',
    });
    this.limits.remove(id);
    this.emit(id, 'CONTAINER_STOPPED_EVENT');
  }

  /** What the container's script lets happen while it runs. */
  private perform(id: string, live: LiveContainer, task: Task, script: Script): void {
    const { exitAfterMs, exitCode, logEveryMs, logLine } = script;
    if (exitAfterMs !== undefined) this.crashLater(id, task, exitAfterMs, exitCode);
    if (logEveryMs === undefined || logEveryMs <= 0) return;
    const say = (): void => {
      if (this.live.get(id)?.task !== task) return;
      live.output('stdout', Buffer.from(`${logLine}\n`));
      this.options.clock.after(logEveryMs, say, { unref: true });
    };
    say();
  }

  private crashLater(id: string, task: Task, afterMs: number, exitCode: number): void {
    const startedAt = this.options.clock.now();
    const cancel = this.options.clock.after(
      afterMs,
      () => {
        if (this.live.get(id)?.task !== task) return;
        this.finish(id, startedAt, { exitCode });
        task.signal('SIGKILL');
      },
      { unref: true },
    );
    void task.exited.then(cancel);
  }

  private save(record: ContainerRecord, lifecycle: ContainerLifecycle): void {
    // What ends later is found by the next runtime; the folder may be gone.
    if (this.isShutDown) return;
    if (this.options.containers.find(record.id))
      this.options.containers.put({ ...record, lifecycle });
  }

  /** Asks, waits, and kills; returns when the container has ended. */
  async stop(record: ContainerRecord, timeoutMs: number): Promise<void> {
    const task = this.live.get(record.id)?.task;
    if (!task) return;
    if (timeoutMs > 0) {
      task.signal(stopSignalOf(record));
      await this.ended(task, timeoutMs);
    }
    if (!this.live.has(record.id)) return;
    task.signal('SIGKILL');
    await task.exited;
    await Promise.resolve();
  }

  private async ended(task: Task, timeoutMs: number): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([
      task.exited,
      this.options.clock.sleep(timeoutMs, waiting.signal).catch(() => undefined),
    ]);
    waiting.abort();
  }

  /** Stops it when it runs, and forgets it. */
  async remove(record: ContainerRecord): Promise<void> {
    await this.stop(record, 0);
    this.limits.remove(record.id);
    rmSync(this.folderOf(record.id), { recursive: true, force: true });
    this.options.containers.delete(record.id);
    this.emit(record.id, 'CONTAINER_DELETED_EVENT', record.sandboxId);
  }

  emit(id: string, containerEventType: ContainerEventType, sandboxId?: string): void {
    const { containers, sandboxes, clock, events } = this.options;
    const pod = sandboxId ?? containers.find(id)?.sandboxId ?? '';
    const sandbox = sandboxes.find(pod);
    events.emit({
      containerId: id,
      containerEventType,
      createdAt: String(BigInt(clock.now()) * 1_000_000n),
      podSandboxStatus: sandbox && toSandboxStatus(sandbox),
      containersStatuses: containers
        .list()
        .filter((container) => container.sandboxId === pod)
        .map(toContainerStatus),
    });
  }

  /** After a restart: host processes that still live are taken over, everything else has ended. */
  recover(): void {
    for (const record of this.options.containers.list())
      if (record.lifecycle.state === 'running') this.recoverOne(record, record.lifecycle);
  }

  private recoverOne(
    record: ContainerRecord,
    lifecycle: Extract<ContainerLifecycle, { state: 'running' }>,
  ): void {
    const { clock, sandboxes, catalog, logger, adoptDir } = this.options;
    const live = new LiveContainer(new CriLog(record.logPath, clock));
    this.live.set(record.id, live);
    const sandbox = sandboxes.find(record.sandboxId);
    this.limits.recover(record, sandbox);
    const plan = sandbox && planOf(record, sandbox, catalog);
    const { startedAt, pid, pidStart } = lifecycle;
    const lives = pid > 0 && startOf(pid) === pidStart;
    logger.info('recovered container', { container: record.id, running: lives });
    if (lives && plan?.kind === 'adopt') {
      const { name } = plan;
      const { output } = live;
      adoptProcess({ folder: adoptDir, name, output, clock, skipLog: true, ended: new Set() }).then(
        (task) => {
          this.run(record, live, task, startedAt);
        },
        () => {
          this.finish(record.id, startedAt, { exitCode: 255 });
        },
      );
      return;
    }
    const own = plan !== undefined && isProcess(plan, sandbox?.netns);
    const options = { folder: this.folderOf(record.id), output: live.output, clock };
    const task =
      lives && own && !record.config.tty ? ProcessTask.adopt(pid, pidStart, options) : undefined;
    if (task) this.run(record, live, task, startedAt);
    else this.finish(record.id, startedAt, { exitCode: 137 });
  }

  /** Ends every container but those whose processes others run. */
  async shutdown(): Promise<void> {
    const tasks = [...this.live.values()].flatMap(({ task }) =>
      task?.foreign ? [] : (task ?? []),
    );
    for (const task of tasks) task.signal(task.pid === 0 ? 'SIGKILL' : 'SIGTERM');
    await Promise.all(
      tasks.map(async (task) => {
        await this.ended(task, SHUTDOWN_MS);
        task.signal('SIGKILL');
        await this.ended(task, SHUTDOWN_MS);
      }),
    );
    await this.limits.emptied();
    this.isShutDown = true;
  }
}

function stopSignalOf({ config }: ContainerRecord): StopSignal {
  return config.stopSignal.startsWith('SIG') && !config.stopSignal.startsWith('SIGRT')
    ? (config.stopSignal as StopSignal)
    : 'SIGTERM';
}
