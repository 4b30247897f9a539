import type { Container, ContainerStatus, Pod } from '@orrery/api';
import { initContainersOf, isSidecar, isStaticPod } from '../containers/visit.js';
import { RESTARTING_ALL } from '../pod-workers/restart-all.js';
import { restartsAfter } from '../pod-workers/restart-policy.js';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

type InitState = 'done' | 'pending' | 'failed';

function sidecarState(status: ContainerStatus | undefined): InitState {
  if (!status) return 'pending';
  if (status.state?.running) return status.started ? 'done' : 'pending';
  if (status.state?.terminated || status.lastState?.terminated) return 'done';
  return 'pending';
}

function initState(container: Container, status: ContainerStatus | undefined): InitState {
  if (isSidecar(container)) return sidecarState(status);
  const ended =
    status?.state?.terminated ??
    (status?.state?.waiting ? status.lastState?.terminated : undefined);
  if (!ended) return 'pending';
  return ended.exitCode === 0 ? 'done' : 'failed';
}

/** The init container failed and does not run again. */
function isInitLost(pod: Pod, container: Container, status: ContainerStatus | undefined): boolean {
  if (isSidecar(container)) return false;
  const ended = status?.state?.terminated;
  return (
    ended !== undefined && ended.exitCode !== 0 && !restartsAfter(pod, container, ended.exitCode)
  );
}

interface Tally {
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
  /** Stopped ones that run again. */
  restarting: number;
}

type Kind = Exclude<keyof Tally, 'succeeded' | 'restarting'>;

function kindOf(status: ContainerStatus | undefined): Kind {
  const { running, terminated, waiting } = status?.state ?? {};
  if (running) return 'running';
  if (terminated) return 'stopped';
  if (!waiting) return 'unknown';
  return status?.lastState?.terminated ? 'stopped' : 'waiting';
}

function tally(pod: Pod, statuses: readonly ContainerStatus[]): Tally {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0, restarting: 0 };
  for (const container of pod.spec.containers) {
    const status = statuses.find((one) => one.name === container.name);
    const kind = kindOf(status);
    counts[kind]++;
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    if (kind !== 'stopped' || !ended) continue;
    if (status?.state?.terminated?.exitCode === 0) counts.succeeded++;
    const isTaken = ended.reason === RESTARTING_ALL;
    if (isTaken || restartsAfter(pod, container, ended.exitCode)) counts.restarting++;
  }
  return counts;
}

function stoppedPhase(pod: Pod, counts: Tally, terminal: boolean): Phase {
  const ended = counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed';
  if (terminal && !isStaticPod(pod)) return ended;
  return counts.restarting > 0 ? 'Running' : ended;
}

const statusOf = (
  statuses: readonly ContainerStatus[],
  container: Container,
): ContainerStatus | undefined => statuses.find((one) => one.name === container.name);

/**
 * Phase that follows from the container statuses; `terminal` = nothing of the pod will run again
 * (k8s pkg/kubelet/kubelet_pods.go:getPhase).
 */
export function phaseOf(pod: Pod, statuses: readonly ContainerStatus[], terminal: boolean): Phase {
  const inits = initContainersOf(pod);
  const states = inits.map((container) => initState(container, statusOf(statuses, container)));
  if (inits.some((container) => isInitLost(pod, container, statusOf(statuses, container))))
    return 'Failed';
  const counts = tally(pod, statuses);
  const noneStarted = counts.running === 0 && counts.stopped === 0;
  const initsPending = states.some((state) => state !== 'done') && noneStarted;
  if (initsPending || counts.waiting > 0 || counts.unknown > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (counts.stopped === 0) return 'Pending';
  const sidecarRuns = inits.some(
    (container) => isSidecar(container) && statusOf(statuses, container)?.state?.running,
  );
  return sidecarRuns && !terminal ? 'Running' : stoppedPhase(pod, counts, terminal);
}
