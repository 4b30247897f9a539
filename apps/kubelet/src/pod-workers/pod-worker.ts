import { holding } from '@orrery/component';
import type { Pod, PodStatus } from '@orrery/api';
import { uidOf } from '../containers/visit.js';
import { WorkerTimes } from '../metrics/worker-times.js';
import type { StepCause } from '../metrics/worker-times.js';
import { readySandbox } from '../runtime/runtime.js';
import type { RuntimePod } from '../runtime/runtime.js';
import { computeActions, resetActions } from './compute-actions.js';
import type { PodActions } from './compute-actions.js';
import { graceOf } from './grace.js';
import { PodPass, isIdle, minOf } from './pod-pass.js';
import { mustRestartAll } from './restart-all.js';
import type { PodFailure, WorkerParts } from './worker-hooks.js';

/**
 *   syncing ──(deleted, evicted, finished, removed)──> terminating ──(all containers ended)──> terminated
 */
type State =
  | { readonly name: 'syncing' }
  | { readonly name: 'terminating'; readonly graceSeconds: number }
  | { readonly name: 'terminated' };

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** Passes in a row before other pods get their turn; each pass starts what the last made possible. */
const MAX_PASSES = 50;

const restartsOf = (status: PodStatus, name: string): number =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].find(
    (one) => one.name === name,
  )?.restartCount ?? 0;

/** Brings one pod to its desired state, one step at a time, until it has ended. */
export class PodWorker {
  private state: State = { name: 'syncing' };
  private failure: PodFailure | undefined;
  private readonly pass: PodPass;
  private admitted = false;
  private looked = false;
  private failures = 0;
  private wakeUp: () => void = () => undefined;
  private dirty = true;
  private killing: RuntimePod | undefined;
  /** As last reported. */
  private status: PodStatus = {};
  private readonly times: WorkerTimes;

  constructor(
    private pod: Pod,
    private readonly parts: WorkerParts,
  ) {
    this.times = new WorkerTimes(parts.clock, parts.metrics?.pods);
    this.pass = new PodPass(
      parts,
      (runtimePod) => {
        this.report(runtimePod);
      },
      () => this.state.name === 'syncing',
      (name) => restartsOf(this.status, name),
    );
  }

  get current(): Pod {
    return this.pod;
  }

  /** As upstream's metrics name it. */
  get lifecycle(): 'sync' | 'terminating' | 'terminated' {
    return this.state.name === 'syncing' ? 'sync' : this.state.name;
  }

  get isTerminating(): boolean {
    return this.state.name !== 'syncing';
  }

  get isTerminated(): boolean {
    return this.state.name === 'terminated';
  }

  /** Newest spec of the pod; a deletion found in it ends the pod. */
  update(pod: Pod): void {
    if (pod.metadata.generation !== this.pod.metadata.generation) this.pass.retry();
    this.pod = pod;
    if (pod.metadata.deletionTimestamp)
      this.terminate(pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod));
    else this.wake('update');
  }

  /** Ends the pod; a second call can only shorten the grace period (at least 1 s, k8s pod_workers.go). */
  terminate(graceSeconds: number, failure?: PodFailure): void {
    const grace = Math.max(1, graceSeconds);
    if (failure && this.state.name === 'syncing') this.failure = failure;
    if (this.state.name === 'syncing') this.state = { name: 'terminating', graceSeconds: grace };
    else if (this.state.name === 'terminating' && grace < this.state.graceSeconds) {
      this.state = { name: 'terminating', graceSeconds: grace };
      if (this.killing) void this.parts.killer.hurry(this.killing, grace).catch(() => undefined);
    }
    this.wake('kill');
  }

  wake(cause: StepCause = 'sync'): void {
    this.times.due(cause);
    this.dirty = true;
    this.wakeUp();
  }

  /** What a probe says has changed. While containers are stopped no step is made: it is told at once (k8s status_manager.go:SetContainerReadiness). */
  probed(): void {
    if (this.killing) this.report(this.parts.hooks.cached(uidOf(this.pod)));
    this.wake();
  }

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.isTerminated) {
      this.dirty = false;
      let waitMs: number | undefined;
      const ended = this.times.begin();
      try {
        waitMs = await holding(this.parts.clock, () => this.step());
        this.failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.parts.logger.warn('pod not synced', {
          pod: this.pod.metadata.name,
          error: String(error),
        });
        waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++);
      }
      ended();
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
    const { failure } = this;
    const { reasons } = this.pass;
    const { phase } = this.status;
    this.status = this.parts.hooks.report(this.pod, { runtimePod, reasons, terminal, failure });
    if (phase === 'Pending' && this.status.phase === 'Running') this.times.running();
    return this.status;
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
      this.exceedDeadline();
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
      const pod = hooks.allocated(this.pod);
      const actions = this.plan(pod, runtimePod);
      if (isIdle(actions, runtimePod)) break;
      const outcome = await this.pass.apply(pod, actions, runtimePod);
      runtimePod = await hooks.refresh(uidOf(this.pod));
      this.report(runtimePod);
      waitMs = outcome.retryMs;
      if (!outcome.progress) break;
    }
    return minOf(waitMs, deadlineMs);
  }

  private plan(pod: Pod, runtimePod: RuntimePod | undefined): PodActions {
    const { hooks, probes } = this.parts;
    if (mustRestartAll(pod, runtimePod, this.status)) return resetActions(pod, runtimePod);
    const actions = computeActions(pod, runtimePod, probes, (container, status) =>
      hooks.resizePlan(pod, container, status),
    );
    const sandbox = readySandbox(runtimePod);
    if (actions.killPod || actions.createSandbox || !sandbox) return actions;
    return { ...actions, resizePod: hooks.isPodResized(pod, sandbox.id) };
  }

  private exceedDeadline(): void {
    const reason = 'DeadlineExceeded';
    const message = 'Pod was active on the node longer than the specified deadline';
    this.terminate(graceOf(this.pod), { reason, message });
    this.parts.events.pod(this.pod, 'Normal', reason, message);
  }

  private passAdmission(): boolean {
    if (this.admitted) return true;
    const refusal = this.parts.hooks.admit(this.pod);
    if (refusal) {
      const { reason, message } = refusal;
      this.parts.events.pod(this.pod, 'Warning', reason, message);
      this.terminate(1, { reason, message: `Pod was rejected: ${message}` });
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
