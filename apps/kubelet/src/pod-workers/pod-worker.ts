import type { Container, Pod, PodStatus } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { isStaticPod, uidOf } from '../containers/visit.js';
import { readySandbox } from '../runtime/runtime.js';
import type { Runtime, RuntimePod, SandboxConfig } from '../runtime/runtime.js';
import type { WaitingReason } from '../status/container-statuses.js';
import { computeActions } from './compute-actions.js';
import type { PodActions, ProbeVerdicts } from './compute-actions.js';
import { StartError } from './container-starter.js';
import type { ContainerStarter } from './container-starter.js';
import type { PodEvents } from './pod-events.js';
import type { PodKiller } from './pod-killer.js';

/** What a worker needs of the rest of the kubelet. */
export interface WorkerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runtime: Runtime;
  readonly starter: ContainerStarter;
  readonly killer: PodKiller;
  readonly events: PodEvents;
  readonly probes: ProbeVerdicts;
  readonly hooks: WorkerHooks;
}

/** Steps of a worker that other parts of the kubelet do. */
export interface WorkerHooks {
  /** Newest runtime state; `refresh` asks the runtime. */
  cached(uid: string): RuntimePod | undefined;
  refresh(uid: string): Promise<RuntimePod | undefined>;
  /** Undefined = may run. Asked once. */
  admit(pod: Pod): WaitingReason | undefined;
  /** Undefined when the pod network is up, else upstream's text. */
  networkProblem(): string | undefined;
  /** Makes folders and mounts volumes; rejects while something is missing. */
  prepare(pod: Pod): Promise<void>;
  sandboxConfig(pod: Pod, attempt: number): SandboxConfig;
  /** Starts and stops probes according to the pod. */
  probe(pod: Pod): void;
  stopProbes(pod: Pod): void;
  /** Generates and reports the status. */
  report(pod: Pod, input: ReportInput): PodStatus;
  /** Everything has ended: frees volumes and folders and lets the API object go. */
  reclaim(pod: Pod): Promise<void>;
}

export interface ReportInput {
  readonly runtimePod: RuntimePod | undefined;
  readonly reasons: ReadonlyMap<string, WaitingReason>;
  readonly terminal: boolean;
  readonly failure: WaitingReason | undefined;
}

/**
 *   syncing ──(deleted, evicted, finished, removed)──> terminating ──(all containers ended)──> terminated
 */
type State =
  | { readonly name: 'syncing' }
  | { readonly name: 'terminating'; readonly graceSeconds: number }
  | { readonly name: 'terminated' };

/** A reason such as ErrImagePull stays this long, whatever wakes the worker, so that it can be seen. */
const HOLD_MS = 2_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** Passes in a row before other pods get their turn; each pass starts what the last made possible. */
const MAX_PASSES = 50;

/** Brings one pod to its desired state, one step at a time, until it has ended. */
export class PodWorker {
  private state: State = { name: 'syncing' };
  private readonly reasons = new Map<string, WaitingReason>();
  private failure: WaitingReason | undefined;
  /** Monotonic time before which a container that could not start is left as it is. */
  private readonly notBefore = new Map<string, number>();
  private admitted = false;
  private looked = false;
  private failures = 0;
  private wakeUp: () => void = () => undefined;
  private dirty = true;
  private killing: RuntimePod | undefined;

  constructor(
    private pod: Pod,
    private readonly parts: WorkerParts,
  ) {}

  get current(): Pod {
    return this.pod;
  }

  get isTerminating(): boolean {
    return this.state.name !== 'syncing';
  }

  get isTerminated(): boolean {
    return this.state.name === 'terminated';
  }

  /** Newest spec of the pod; a deletion found in it ends the pod. */
  update(pod: Pod): void {
    if (pod.metadata.generation !== this.pod.metadata.generation) this.notBefore.clear();
    this.pod = pod;
    if (pod.metadata.deletionTimestamp)
      this.terminate(pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod));
    else this.wake();
  }

  /** Ends the pod; a second call can only shorten the grace period (at least 1 s, k8s pod_workers.go). */
  terminate(graceSeconds: number, failure?: WaitingReason): void {
    const grace = Math.max(1, graceSeconds);
    if (failure && this.state.name === 'syncing') this.failure = failure;
    if (this.state.name === 'syncing') this.state = { name: 'terminating', graceSeconds: grace };
    else if (this.state.name === 'terminating' && grace < this.state.graceSeconds) {
      this.state = { name: 'terminating', graceSeconds: grace };
      if (this.killing) void this.parts.killer.hurry(this.killing, grace).catch(() => undefined);
    }
    this.wake();
  }

  wake(): void {
    this.dirty = true;
    this.wakeUp();
  }

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.isTerminated) {
      this.dirty = false;
      let waitMs: number | undefined;
      try {
        waitMs = await this.step();
        this.failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.parts.logger.warn('pod not synced', {
          pod: this.pod.metadata.name,
          error: String(error),
        });
        waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++);
      }
      if (!this.isTerminated && !this.dirty) await this.idle(waitMs, signal);
    }
  }

  private idle(waitMs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      const done = (): void => {
        cancel?.();
        signal.removeEventListener('abort', done);
        this.wakeUp = () => undefined;
        resolve();
      };
      const cancel = waitMs === undefined ? undefined : this.parts.clock.after(waitMs, done);
      signal.addEventListener('abort', done, { once: true });
      this.wakeUp = done;
    });
  }

  /** One step; the result is when to look again though nothing happened. */
  private async step(): Promise<number | undefined> {
    if (this.state.name === 'terminating') return this.end(this.state.graceSeconds);
    return this.sync();
  }

  private report(runtimePod: RuntimePod | undefined, terminal = false): PodStatus {
    const { reasons, failure } = this;
    return this.parts.hooks.report(this.pod, { runtimePod, reasons, terminal, failure });
  }

  private async sync(): Promise<number | undefined> {
    const { hooks } = this.parts;
    const uid = uidOf(this.pod);
    // The first look asks the runtime itself: containers of an earlier kubelet must be found, not made again.
    let runtimePod = this.looked ? hooks.cached(uid) : await hooks.refresh(uid);
    this.looked = true;
    // Before the first report: a container whose probe has said nothing yet is not ready.
    hooks.probe(this.pod);
    const status = this.report(runtimePod);
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      this.terminate(graceOf(this.pod));
      return 0;
    }
    if (!this.passAdmission()) return 0;
    const deadlineMs = this.deadlineLeft(status);
    if (deadlineMs !== undefined && deadlineMs <= 0) {
      this.terminate(graceOf(this.pod), {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      });
      this.parts.events.pod(
        this.pod,
        'Normal',
        'DeadlineExceeded',
        'Pod was active on the node longer than the specified deadline',
      );
      return 0;
    }
    const problem = hooks.networkProblem();
    if (problem !== undefined && !this.pod.spec.hostNetwork) {
      this.parts.events.pod(
        this.pod,
        'Warning',
        'NetworkNotReady',
        `network is not ready: ${problem}`,
      );
      return 1_000;
    }
    await hooks.prepare(this.pod);
    let waitMs: number | undefined;
    for (let pass = 0; pass < MAX_PASSES && this.state.name === 'syncing'; pass++) {
      const actions = computeActions(this.pod, runtimePod, this.parts.probes);
      if (isIdle(actions, runtimePod)) break;
      const outcome = await this.apply(actions, runtimePod);
      runtimePod = await hooks.refresh(uidOf(this.pod));
      this.report(runtimePod);
      waitMs = outcome.retryMs;
      if (!outcome.progress) break;
    }
    return minOf(waitMs, deadlineMs);
  }

  private passAdmission(): boolean {
    if (this.admitted) return true;
    const refusal = this.parts.hooks.admit(this.pod);
    if (refusal) {
      this.parts.events.pod(this.pod, 'Warning', refusal.reason, refusal.message);
      this.terminate(1, refusal);
      return false;
    }
    this.admitted = true;
    return true;
  }

  private deadlineLeft(status: PodStatus): number | undefined {
    const seconds = this.pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || !status.startTime) return undefined;
    return Date.parse(status.startTime) + seconds * 1000 - this.parts.clock.now();
  }

  private async apply(actions: PodActions, runtimePod: RuntimePod | undefined): Promise<Outcome> {
    const { killer, hooks } = this.parts;
    if (actions.killPod && runtimePod)
      await killer.killPod(this.pod, runtimePod, graceOf(this.pod));
    const podIp = readySandbox(runtimePod)?.ips[0] ?? '';
    await Promise.all(
      actions.toKill.map(async (kill) => {
        const probeGrace =
          kill.reason === 'liveness' || kill.reason === 'startup'
            ? probeGraceOf(this.pod, kill.name)
            : undefined;
        await killer.killContainer(
          this.pod,
          kill.container,
          probeGrace ?? graceOf(this.pod),
          kill.message,
          podIp,
        );
      }),
    );
    const sandbox = hooks.sandboxConfig(this.pod, actions.attempt);
    const current = actions.createSandbox
      ? await this.createSandbox(sandbox)
      : { sandboxId: readySandbox(runtimePod)?.id ?? '', runtimePod };
    const state =
      actions.toKill.length > 0 ? await hooks.refresh(uidOf(this.pod)) : current.runtimePod;
    const starts = [...actions.ephemeralToStart, ...actions.initToStart, ...actions.toStart];
    const killed = actions.killPod || actions.toKill.length > 0;
    const outcome = await this.startAll(starts, current.sandboxId, state, sandbox);
    return {
      progress: outcome.progress || (killed && starts.length === 0),
      retryMs: outcome.retryMs,
    };
  }

  private async createSandbox(
    config: SandboxConfig,
  ): Promise<{ sandboxId: string; runtimePod: RuntimePod | undefined }> {
    try {
      const sandboxId = await this.parts.runtime.runSandbox(config);
      const runtimePod = await this.parts.hooks.refresh(config.uid);
      this.report(runtimePod);
      return { sandboxId, runtimePod };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.parts.events.pod(
        this.pod,
        'Warning',
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: ${text}`,
      );
      throw error;
    }
  }

  private async startAll(
    containers: readonly Container[],
    sandboxId: string,
    runtimePod: RuntimePod | undefined,
    sandbox: SandboxConfig,
  ): Promise<Outcome> {
    const podIp = runtimePod?.sandboxes.find((one) => one.id === sandboxId)?.ips[0] ?? '';
    let progress = false;
    let retryMs: number | undefined;
    for (const container of containers) {
      if (this.state.name !== 'syncing') break;
      const holdMs = (this.notBefore.get(container.name) ?? 0) - this.parts.clock.monotonic();
      if (holdMs > 0) {
        retryMs = minOf(retryMs, holdMs);
        continue;
      }
      try {
        await this.parts.starter.start({
          pod: this.pod,
          container,
          runtimePod,
          sandboxId,
          sandbox,
          podIp,
        });
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

  private async end(graceSeconds: number): Promise<number | undefined> {
    const { hooks, killer } = this.parts;
    const uid = uidOf(this.pod);
    hooks.probe(this.pod);
    this.report(hooks.cached(uid));
    const runtimePod = await hooks.refresh(uid);
    if (runtimePod) {
      this.killing = runtimePod;
      await killer.killPod(this.pod, runtimePod, graceSeconds);
      this.killing = undefined;
    }
    const after = await hooks.refresh(uid);
    if (after?.containers.some((one) => one.state === 'running')) return 500;
    hooks.stopProbes(this.pod);
    this.report(after, true);
    this.parts.starter.forget(this.pod);
    await hooks.reclaim(this.pod);
    this.state = { name: 'terminated' };
    return undefined;
  }
}

interface Outcome {
  /** Something changed, so another pass may find more to do. */
  readonly progress: boolean;
  readonly retryMs: number | undefined;
}

export function graceOf(pod: Pod): number {
  if (isStaticPod(pod) && pod.spec.terminationGracePeriodSeconds === undefined) return 30;
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

function probeGraceOf(pod: Pod, name: string): number | undefined {
  const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
    (one) => one.name === name,
  );
  return (
    container?.livenessProbe?.terminationGracePeriodSeconds ??
    container?.startupProbe?.terminationGracePeriodSeconds
  );
}

function minOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

function isIdle(actions: PodActions, runtimePod: RuntimePod | undefined): boolean {
  const nothingToEnd = !actions.killPod || !runtimePod?.sandboxes.some((one) => one.ready);
  return (
    nothingToEnd &&
    !actions.createSandbox &&
    actions.toKill.length === 0 &&
    actions.initToStart.length === 0 &&
    actions.toStart.length === 0 &&
    actions.ephemeralToStart.length === 0
  );
}
