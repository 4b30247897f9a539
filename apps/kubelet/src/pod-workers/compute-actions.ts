import type { Container, Pod } from '@orrery/api';
import { hashContainer } from '../containers/hash.js';
import { ephemeralContainersOf, initContainersOf, isSidecar } from '../containers/visit.js';
import { latestContainer } from '../runtime/runtime.js';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../runtime/runtime.js';
import { containersToReset } from './restart-all.js';
import { canRestart, restartsAfter, runsOnce } from './restart-policy.js';

export interface ContainerKill {
  readonly container: RuntimeContainer;
  readonly name: string;
  readonly message: string;
  readonly reason: 'changed' | 'liveness' | 'startup' | 'unknown' | 'resize';
}

/** What a resize still asks of a running container: nothing, new limits, or a restart by its resizePolicy. */
export type ResizePlan = 'none' | 'update' | 'restart';

export interface ContainerUpdate {
  readonly container: Container;
  readonly status: RuntimeContainer;
}

type Resize = (container: Container, status: RuntimeContainer) => ResizePlan;

/** What one pass must do to a pod; computed from its spec and from what the runtime holds. */
export interface PodActions {
  /** The sandbox is gone, superseded, or has nothing left to run: end all of it first. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  readonly attempt: number;
  readonly toKill: readonly ContainerKill[];
  /** Every container of a pod of which all are restarted: ended and removed, in this order. */
  readonly toReset: readonly RuntimeContainer[];
  /** What the containers together may use changes in place. */
  readonly resizePod?: boolean;
  /** Running containers whose resources change in place. */
  readonly toUpdate: readonly ContainerUpdate[];
  /** At most one ordinary init container; sidecars to restart may stand beside it. */
  readonly initToStart: readonly Container[];
  readonly toStart: readonly Container[];
  readonly ephemeralToStart: readonly Container[];
}

/** Verdicts of probes by container id. */
export interface ProbeVerdicts {
  /** Liveness failed: restart. */
  livenessFailed(containerId: string): boolean;
  startupFailed(containerId: string): boolean;
  /** The startup probe passed, or there is none. */
  started(containerId: string): boolean;
}

type Existing = Map<string, RuntimeContainer>;

const NOTHING = {
  toKill: [],
  toReset: [],
  toUpdate: [],
  initToStart: [],
  toStart: [],
  ephemeralToStart: [],
} as const;

/** Whether a container that is not running may start again (k8s pkg/kubelet/container/helpers.go:ShouldContainerBeRestarted). */
export function shouldRestart(
  pod: Pod,
  container: Container,
  status: RuntimeContainer | undefined,
): boolean {
  if (pod.metadata.deletionTimestamp) return false;
  if (!status) return true;
  if (status.state === 'running') return false;
  if (status.state === 'created') return true;
  if (isSidecar(container)) return true;
  // An end of which nothing is known counts as a failure.
  return restartsAfter(pod, container, status.state === 'unknown' ? 255 : status.exitCode);
}

function killReason(
  pod: Pod,
  container: Container,
  status: RuntimeContainer,
  probes: ProbeVerdicts,
): ContainerKill | undefined {
  const kill = (reason: ContainerKill['reason'], message: string): ContainerKill => ({
    container: status,
    name: container.name,
    reason,
    message,
  });
  if (status.hash !== hashContainer(container))
    return kill('changed', `Container ${container.name} definition changed, will be restarted`);
  const after = canRestart(pod, container) ? ', will be restarted' : '';
  if (probes.livenessFailed(status.id))
    return kill('liveness', `Container ${container.name} failed liveness probe${after}`);
  if (probes.startupFailed(status.id))
    return kill('startup', `Container ${container.name} failed startup probe${after}`);
  return undefined;
}

function inSandbox(pod: Pod, runtimePod: RuntimePod | undefined, sandboxId: string): Existing {
  const existing: Existing = new Map();
  for (const container of [...initContainersOf(pod), ...pod.spec.containers]) {
    const latest = latestContainer(runtimePod, container.name);
    if (latest && latest.sandboxId === sandboxId) existing.set(container.name, latest);
  }
  return existing;
}

interface InitPlan {
  readonly initialized: boolean;
  readonly failed: boolean;
  readonly toStart: Container[];
  readonly toKill: ContainerKill[];
}

const resizeKill = (container: Container, status: RuntimeContainer): ContainerKill => ({
  container: status,
  name: container.name,
  reason: 'resize',
  message: `Container ${container.name} resize requires restart`,
});

const sidecarKill = (
  pod: Pod,
  container: Container,
  status: RuntimeContainer,
  probes: ProbeVerdicts,
  resize: Resize,
): ContainerKill | undefined =>
  killReason(pod, container, status, probes) ??
  (resize(container, status) === 'restart' ? resizeKill(container, status) : undefined);

function planSidecar(
  container: Container,
  status: RuntimeContainer | undefined,
  kill: ContainerKill | undefined,
  plan: Pick<InitPlan, 'toStart' | 'toKill'>,
  probes: ProbeVerdicts,
): boolean {
  if (status?.state === 'running') {
    if (!kill) return probes.started(status.id);
    plan.toKill.push(kill);
    plan.toStart.push(container);
    return kill.reason !== 'startup';
  }
  plan.toStart.push(container);
  return false;
}

/**
 * Init containers one by one in order; a sidecar counts as done once started
 * (k8s pkg/kubelet/kuberuntime/kuberuntime_container.go:computeInitContainerActions).
 */
function planInit(pod: Pod, existing: Existing, probes: ProbeVerdicts, resize: Resize): InitPlan {
  const toStart: Container[] = [];
  const toKill: ContainerKill[] = [];
  const regularSeen = pod.spec.containers.some((container) => existing.has(container.name));
  for (const container of initContainersOf(pod)) {
    const status = existing.get(container.name);
    if (isSidecar(container)) {
      const kill =
        status?.state === 'running'
          ? sidecarKill(pod, container, status, probes, resize)
          : undefined;
      const done = planSidecar(container, status, kill, { toStart, toKill }, probes);
      if (!done && !regularSeen) return { initialized: false, failed: false, toStart, toKill };
      continue;
    }
    if (regularSeen || (status?.state === 'exited' && status.exitCode === 0)) continue;
    if (status?.state === 'running') return { initialized: false, failed: false, toStart, toKill };
    if (status && !shouldRestart(pod, container, status))
      return { initialized: false, failed: true, toStart: [], toKill };
    return { initialized: false, failed: false, toStart: [...toStart, container], toKill };
  }
  return { initialized: true, failed: false, toStart, toKill };
}

interface RegularPlan {
  readonly toStart: Container[];
  readonly toKill: ContainerKill[];
  readonly toUpdate: ContainerUpdate[];
  readonly kept: number;
}

function planRegular(
  pod: Pod,
  existing: Existing,
  probes: ProbeVerdicts,
  resize: Resize,
): RegularPlan {
  const toStart: Container[] = [];
  const toKill: ContainerKill[] = [];
  const toUpdate: ContainerUpdate[] = [];
  let kept = 0;
  for (const container of pod.spec.containers) {
    const status = existing.get(container.name);
    if (status?.state !== 'running') {
      if (status?.state === 'unknown')
        toKill.push({
          container: status,
          name: container.name,
          reason: 'unknown',
          message: 'Container is in unknown state, try killing it before restart',
        });
      if (shouldRestart(pod, container, status)) toStart.push(container);
      continue;
    }
    const plan = resize(container, status);
    const kill =
      killReason(pod, container, status, probes) ??
      (plan === 'restart' ? resizeKill(container, status) : undefined);
    if (!kill) {
      kept++;
      if (plan === 'update') toUpdate.push({ container, status });
      continue;
    }
    toKill.push(kill);
    const replaced = kill.reason === 'changed' || kill.reason === 'resize';
    if (replaced || canRestart(pod, container)) toStart.push(container);
    else kept++;
  }
  return { toStart, toKill, toUpdate, kept };
}

function planNewSandbox(pod: Pod, runtimePod: RuntimePod | undefined, attempt: number): PodActions {
  const killPod = runtimePod !== undefined && runtimePod.sandboxes.some((sandbox) => sandbox.ready);
  const everRan = (runtimePod?.containers.length ?? 0) > 0;
  const idle: PodActions = {
    ...NOTHING,
    killPod: runtimePod !== undefined,
    createSandbox: false,
    attempt,
  };
  if (runsOnce(pod) && attempt > 0 && everRan) return idle;
  const finished = (container: Container): boolean => {
    const latest = latestContainer(runtimePod, container.name);
    return latest?.state === 'exited' && !restartsAfter(pod, container, latest.exitCode);
  };
  const toStart = pod.spec.containers.filter((container) => !finished(container));
  if (toStart.length === 0) return idle;
  const [firstInit] = initContainersOf(pod);
  return {
    ...NOTHING,
    killPod,
    createSandbox: true,
    attempt,
    initToStart: firstInit ? [firstInit] : [],
    toStart: firstInit ? [] : toStart,
  };
}

/** The newest sandbox when it is the only live one and has what the pod asks for. */
function usableSandbox(pod: Pod, runtimePod: RuntimePod | undefined): RuntimeSandbox | undefined {
  const sandboxes = runtimePod?.sandboxes ?? [];
  const [newest] = sandboxes;
  if (!newest?.ready || sandboxes.filter((sandbox) => sandbox.ready).length > 1) return undefined;
  if (newest.hostNetwork !== (pod.spec.hostNetwork === true)) return undefined;
  return newest.hostNetwork || newest.ips.length > 0 ? newest : undefined;
}

/** The pure heart of a pod worker (k8s pkg/kubelet/kuberuntime/kuberuntime_manager.go:computePodActions). */
export function computeActions(
  pod: Pod,
  runtimePod: RuntimePod | undefined,
  probes: ProbeVerdicts,
  resize: Resize = () => 'none',
): PodActions {
  const current = usableSandbox(pod, runtimePod);
  if (!current) {
    const newest = runtimePod?.sandboxes[0];
    return planNewSandbox(pod, runtimePod, newest ? newest.attempt + 1 : 0);
  }

  const ephemeralToStart = ephemeralContainersOf(pod).filter(
    (container) => !latestContainer(runtimePod, container.name),
  );
  const existing = inSandbox(pod, runtimePod, current.id);
  const initUpdates = initContainersOf(pod).flatMap((container) => {
    const status = existing.get(container.name);
    if (status?.state !== 'running') return [];
    return resize(container, status) === 'update' ? [{ container, status }] : [];
  });
  const base = { killPod: false, createSandbox: false, attempt: current.attempt, ephemeralToStart };
  const init = planInit(pod, existing, probes, resize);
  if (!init.initialized && init.failed) return { ...NOTHING, ...base, killPod: true };
  if (!init.initialized)
    return {
      ...NOTHING,
      ...base,
      toKill: init.toKill,
      toUpdate: initUpdates,
      initToStart: init.toStart,
    };
  const regular = planRegular(pod, existing, probes, resize);
  if (regular.kept === 0 && regular.toStart.length === 0)
    return { ...NOTHING, ...base, killPod: true };
  return {
    ...base,
    toReset: [],
    toKill: [...init.toKill, ...regular.toKill],
    toUpdate: [...initUpdates, ...regular.toUpdate],
    initToStart: init.toStart,
    toStart: regular.toStart,
  };
}

/** Takes away all containers of a pod, which the next passes start anew in the same sandbox. */
export function resetActions(pod: Pod, runtimePod: RuntimePod | undefined): PodActions {
  const attempt = runtimePod?.sandboxes[0]?.attempt ?? 0;
  const toReset = containersToReset(pod, runtimePod);
  return { ...NOTHING, killPod: false, createSandbox: false, attempt, toReset };
}
