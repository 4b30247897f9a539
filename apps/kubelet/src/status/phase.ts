import type { Container, ContainerStatus, Pod } from '@orrery/api';
import { initContainersOf, isSidecar, isStaticPod } from '../containers/visit.js';

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

interface Tally {
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
}

function tally(containers: readonly Container[], statuses: readonly ContainerStatus[]): Tally {
  const counts: Tally = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const container of containers) {
    const status = statuses.find((one) => one.name === container.name);
    if (status?.state?.running) counts.running++;
    else if (status?.state?.terminated) {
      counts.stopped++;
      if (status.state.terminated.exitCode === 0) counts.succeeded++;
    } else if (status?.state?.waiting) {
      if (status.lastState?.terminated) counts.stopped++;
      else counts.waiting++;
    } else counts.unknown++;
  }
  return counts;
}

function stoppedPhase(pod: Pod, counts: Tally, terminal: boolean): Phase {
  const allSucceeded = counts.stopped === counts.succeeded;
  if (terminal && !isStaticPod(pod)) return allSucceeded ? 'Succeeded' : 'Failed';
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return 'Running';
  if (allSucceeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
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
  if (states.includes('failed') && pod.spec.restartPolicy === 'Never') return 'Failed';
  const counts = tally(pod.spec.containers, statuses);
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
