import type { Container, ContainerState, ContainerStatus, Pod } from '../../../types.js';
import { list } from '../../../meta/list.js';

/** What `kubectl get pods` says of a pod. */
export interface PodState {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** RFC 3339; when the last restart began, if there was one. */
  readonly lastRestart: string | undefined;
}

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Date.parse(b) > Date.parse(a)) ? b : a;

function exitText(terminated: NonNullable<ContainerState['terminated']>): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`;
}

interface Restarts {
  readonly restarts: number;
  readonly lastRestart: string | undefined;
}

function restartsOf(statuses: readonly ContainerStatus[]): Restarts {
  return {
    restarts: statuses.reduce((sum, status) => sum + (status.restartCount ?? 0), 0),
    lastRestart: statuses.reduce<string | undefined>(
      (last, status) => later(last, status.lastState?.terminated?.finishedAt),
      undefined,
    ),
  };
}

/** Why an init container keeps the pod from starting; undefined when it does not. */
function initReason(
  status: ContainerStatus,
  isSidecar: boolean,
  place: string,
): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (terminated && (terminated.exitCode ?? 0) === 0) return undefined;
  if (isSidecar && status.started) return undefined;
  if (terminated) return `Init:${exitText(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${place}`;
}

interface InitState {
  /** Undefined when all init containers are done. */
  readonly reason: string | undefined;
  readonly readySidecars: number;
  readonly seen: readonly ContainerStatus[];
  readonly sidecars: readonly ContainerStatus[];
}

function initStateOf(pod: Pod): InitState {
  const specs = list(pod.spec?.initContainers);
  const statuses = list(pod.status?.initContainerStatuses);
  const isSidecar = (status: ContainerStatus): boolean =>
    specs.some((c: Container) => c.name === status.name && c.restartPolicy === 'Always');
  let readySidecars = 0;
  for (const [i, status] of statuses.entries()) {
    const reason = initReason(status, isSidecar(status), `${i}/${specs.length}`);
    if (reason !== undefined) {
      const seen = statuses.slice(0, i + 1);
      return { reason, readySidecars, seen, sidecars: seen.filter(isSidecar) };
    }
    if (isSidecar(status) && !status.state?.terminated && status.ready) readySidecars++;
  }
  return { reason: undefined, readySidecars, seen: statuses, sidecars: statuses.filter(isSidecar) };
}

interface MainState {
  readonly reason: string | undefined;
  readonly ready: number;
  readonly hasRunning: boolean;
}

/** The first container's trouble wins: upstream walks from the last to the first. */
function mainStateOf(statuses: readonly ContainerStatus[]): MainState {
  const reasons = statuses.map(({ state }) =>
    state?.waiting?.reason ? state.waiting.reason : state?.terminated && exitText(state.terminated),
  );
  const running = statuses.filter(
    ({ state, ready }, i) => reasons[i] === undefined && ready && state?.running,
  );
  return {
    reason: reasons.find((reason) => reason !== undefined),
    ready: running.length,
    hasRunning: running.length > 0,
  };
}

const hasCondition = (pod: Pod, type: string): boolean =>
  list(pod.status?.conditions).some((c) => c.type === type && c.status === 'True');

function phaseReason(pod: Pod): string {
  const gated = list(pod.status?.conditions).some(
    (c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated',
  );
  return gated ? 'SchedulingGated' : pod.status?.reason || pod.status?.phase || '';
}

function deletionReason(pod: Pod, reason: string): string {
  if (!pod.metadata.deletionTimestamp) return reason;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  return isOver ? reason : 'Terminating';
}

/** k8s pkg/printers/internalversion/printers.go:printPod. */
export function podStateOf(pod: Pod): PodState {
  const init = initStateOf(pod);
  const total =
    list(pod.spec?.containers).length +
    list(pod.spec?.initContainers).filter((c) => c.restartPolicy === 'Always').length;
  if (init.reason !== undefined && !hasCondition(pod, 'Initialized')) {
    return {
      ready: init.readySidecars,
      total,
      reason: deletionReason(pod, init.reason),
      ...restartsOf(init.seen),
    };
  }
  const statuses = list(pod.status?.containerStatuses);
  const main = mainStateOf(statuses);
  let reason = main.reason ?? init.reason ?? phaseReason(pod);
  if (reason === 'Completed' && main.hasRunning) {
    reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  }
  return {
    ready: main.ready + init.readySidecars,
    total,
    reason: deletionReason(pod, reason),
    ...restartsOf([...init.sidecars, ...statuses]),
  };
}
