import type { Container, Pod } from '@orrery/api';
import { uidOf } from '../containers/visit.js';
import { readySandbox } from '../runtime/runtime.js';
import type {
  RuntimeContainer,
  RuntimePod,
  RuntimeSandbox,
  SandboxConfig,
} from '../runtime/runtime.js';
import type { WaitingReason } from '../status/container-statuses.js';
import type { ContainerKill, PodActions } from './compute-actions.js';
import { StartError } from './container-starter.js';
import { graceOf, probeGraceOf } from './grace.js';
import type { WorkerParts } from './worker-hooks.js';

export interface Outcome {
  /** Something changed, so another pass may find more to do. */
  readonly progress: boolean;
  readonly retryMs: number | undefined;
}

/** A reason such as ErrImagePull stays this long, whatever wakes the worker, so that it can be seen. */
const HOLD_MS = 2_000;

export function minOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

export function isIdle(actions: PodActions, runtimePod: RuntimePod | undefined): boolean {
  const nothingToEnd = !actions.killPod || !runtimePod?.sandboxes.some((one) => one.ready);
  const lists = [
    actions.toKill,
    actions.toReset,
    actions.toUpdate,
    actions.initToStart,
    actions.toStart,
    actions.ephemeralToStart,
  ];
  const nothingToMake = !actions.createSandbox && !actions.resizePod;
  return nothingToEnd && nothingToMake && lists.every((list) => list.length === 0);
}

/** Does to one pod what was computed: kills, resizes, makes the sandbox, starts. */
export class PodPass {
  /** Why a container is not running though it should be, by name. */
  readonly reasons = new Map<string, WaitingReason>();
  /** Monotonic time before which a container that could not start is left as it is. */
  private readonly notBefore = new Map<string, number>();

  constructor(
    private readonly parts: WorkerParts,
    /** Reports what the runtime holds now. */
    private readonly report: (runtimePod: RuntimePod | undefined) => void,
    /** False once the pod is being ended: nothing more is started. */
    private readonly mayStart: () => boolean,
    /** Restarts of a container of which the runtime knows nothing, as last reported. */
    private readonly restartsOf: (name: string) => number = () => 0,
  ) {}

  /** The spec changed: what could not start is tried at once. */
  retry(): void {
    this.notBefore.clear();
  }

  async apply(pod: Pod, actions: PodActions, runtimePod: RuntimePod | undefined): Promise<Outcome> {
    const { killer, hooks } = this.parts;
    if (actions.toReset.length > 0) return this.reset(pod, actions.toReset);
    if (actions.killPod && runtimePod) await killer.killPod(pod, runtimePod, graceOf(pod));
    await this.change(pod, actions, readySandbox(runtimePod));
    const sandbox = this.sandboxConfig(pod, actions.attempt);
    const current = actions.createSandbox
      ? await this.createSandbox(pod, sandbox)
      : { sandboxId: readySandbox(runtimePod)?.id ?? '', runtimePod };
    const state = actions.toKill.length > 0 ? await hooks.refresh(uidOf(pod)) : current.runtimePod;
    const starts = [...actions.ephemeralToStart, ...actions.initToStart, ...actions.toStart];
    const ended = actions.killPod || actions.toKill.length > 0;
    const changed = ended || actions.toUpdate.length > 0 || actions.resizePod === true;
    const outcome = await this.startAll(pod, starts, { ...current, runtimePod: state, sandbox });
    return {
      progress: outcome.progress || (changed && starts.length === 0),
      retryMs: outcome.retryMs,
    };
  }

  /** What runs: more for the pod comes before more for its containers, and less after less. */
  private async change(
    pod: Pod,
    actions: PodActions,
    sandbox: RuntimeSandbox | undefined,
  ): Promise<void> {
    const isResize = actions.resizePod === true || actions.toUpdate.length > 0;
    const { clock, metrics } = this.parts;
    const startedMs = clock.monotonic();
    const end = (isSuccess: boolean): void => {
      if (isResize)
        metrics?.resizes.duration.observe(
          { success: String(isSuccess) },
          clock.monotonic() - startedMs,
        );
    };
    try {
      await this.changeNow(pod, actions, sandbox);
      end(true);
    } catch (error) {
      end(false);
      throw error;
    }
  }

  private async changeNow(
    pod: Pod,
    { toKill, toUpdate, resizePod = false }: PodActions,
    sandbox: RuntimeSandbox | undefined,
  ): Promise<void> {
    const { hooks } = this.parts;
    const resized = resizePod && sandbox ? [sandbox.id] : [];
    for (const id of resized) await hooks.resizePod(pod, id, 'grow');
    await Promise.all(toKill.map((kill) => this.kill(pod, kill, sandbox?.ips[0] ?? '')));
    for (const { container, status } of toUpdate) await hooks.applyResize(pod, container, status);
    for (const id of resized) await hooks.resizePod(pod, id, 'fit');
  }

  /** Neither preStop nor a grace period: they end abruptly (KEP-5532). */
  private async reset(pod: Pod, containers: readonly RuntimeContainer[]): Promise<Outcome> {
    for (const one of containers) {
      const text = `Container ${one.name} will be removed for RestartAllContainers`;
      if (one.state !== 'exited') await this.parts.killer.killContainer(pod, one, 0, text);
      await this.parts.runtime.removeContainer(one.id);
    }
    return { progress: true, retryMs: undefined };
  }

  private async kill(pod: Pod, kill: ContainerKill, podIp: string): Promise<void> {
    const byProbe = kill.reason === 'liveness' || kill.reason === 'startup';
    const grace = (byProbe ? probeGraceOf(pod, kill.name) : undefined) ?? graceOf(pod);
    await this.parts.killer.killContainer(pod, kill.container, grace, kill.message, podIp);
  }

  private async createSandbox(
    pod: Pod,
    config: SandboxConfig,
  ): Promise<{ sandboxId: string; runtimePod: RuntimePod | undefined }> {
    await this.parts.hooks.prepareDevices(pod);
    this.parts.metrics?.pods.startedPods.inc();
    try {
      const handler = await this.parts.hooks.runtimeHandler(pod);
      const sandboxId = await this.parts.runtime.runSandbox(config, handler);
      this.parts.hooks.sandboxMade(pod, sandboxId);
      const runtimePod = await this.parts.hooks.refresh(config.uid);
      this.report(runtimePod);
      return { sandboxId, runtimePod };
    } catch (error) {
      throw this.sandboxFailed(pod, error);
    }
  }

  private sandboxConfig(pod: Pod, attempt: number): SandboxConfig {
    try {
      return this.parts.hooks.sandboxConfig(pod, attempt);
    } catch (error) {
      throw this.sandboxFailed(pod, error);
    }
  }

  private sandboxFailed(pod: Pod, error: unknown): unknown {
    this.parts.metrics?.pods.startedPodsErrors.inc();
    const text = error instanceof Error ? error.message : String(error);
    const message = `Failed to create pod sandbox: ${text}`;
    this.parts.events.pod(pod, 'Warning', 'FailedCreatePodSandBox', message);
    return error;
  }

  private async startAll(
    pod: Pod,
    containers: readonly Container[],
    home: {
      readonly sandboxId: string;
      readonly runtimePod: RuntimePod | undefined;
      readonly sandbox: SandboxConfig;
    },
  ): Promise<Outcome> {
    const { sandboxId, runtimePod } = home;
    const podIp = runtimePod?.sandboxes.find((one) => one.id === sandboxId)?.ips[0] ?? '';
    let progress = false;
    let retryMs: number | undefined;
    for (const container of containers) {
      if (!this.mayStart()) break;
      const holdMs = (this.notBefore.get(container.name) ?? 0) - this.parts.clock.monotonic();
      if (holdMs > 0) {
        retryMs = minOf(retryMs, holdMs);
        continue;
      }
      try {
        const restarts = this.restartsOf(container.name);
        await this.parts.starter.start({ pod, container, podIp, restarts, ...home });
        this.reasons.delete(container.name);
        progress = true;
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        this.reasons.set(container.name, error.waiting);
        retryMs = minOf(retryMs, error.retryAfterMs);
        const holdFor = Math.min(error.retryAfterMs, HOLD_MS);
        this.notBefore.set(container.name, this.parts.clock.monotonic() + holdFor);
      }
    }
    return { progress, retryMs };
  }
}
