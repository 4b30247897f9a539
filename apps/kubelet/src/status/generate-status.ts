import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '@orrery/api';
import { ephemeralContainersOf, initContainersOf, isSidecar } from '../containers/visit.js';
import { latestContainer, readySandbox } from '../runtime/runtime.js';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import { containersReady, initialized, mergeConditions, podReady } from './conditions.js';
import { containerStatuses } from './container-statuses.js';
import { mustRestartAll, restartingCondition } from '../pod-workers/restart-all.js';
import type { PodFailure } from '../pod-workers/worker-hooks.js';
import type { WaitingReason } from './container-statuses.js';
import { phaseOf } from './phase.js';
import type { Phase } from './phase.js';
import { qosClassOf } from './qos.js';
import { sortPodIps } from './pod-ips.js';
import { atTheEnd } from './terminal-status.js';

export interface ProbeState {
  /** Applies only to running containers. */
  started(containerId: string): boolean;
  ready(containerId: string): boolean;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod | undefined;
  /** Last status known, reported or read back. */
  readonly old: PodStatus;
  readonly reasons: ReadonlyMap<string, WaitingReason>;
  readonly probes: ProbeState;
  readonly runtimeName: string;
  readonly hostIps: readonly string[];
  /** RFC 3339. */
  readonly now: string;
  /** Every container has ended for good. */
  readonly terminal: boolean;
  /** Set when the kubelet itself ended the pod, e.g. DeadlineExceeded or OutOfcpu. */
  readonly failure?: PodFailure;
  /** Those of a resize. */
  readonly resizeConditions?: readonly PodCondition[];
  /** Granted and actual resources of the pod as a whole. */
  podResourcesOf?(): Pick<PodStatus, 'resources' | 'allocatedResources'>;
  /** Granted and actual resources of a container. */
  resourcesOf?(
    name: string,
    container: RuntimeContainer | undefined,
    old: ContainerStatus | undefined,
  ): Partial<ContainerStatus>;
  /** Whether the runtime can make volumes read-only with the mounts below. */
  readonly recursiveReadOnly?: boolean;
  terminationMessage(container: RuntimeContainer): string | undefined;
}

function withProbes(
  statuses: readonly ContainerStatus[],
  input: StatusInput,
  isReadyable: (name: string) => boolean,
): ContainerStatus[] {
  return statuses.map((status) => {
    const id = status.containerID?.slice(status.containerID.indexOf('://') + 3) ?? '';
    if (!status.state?.running) {
      const completed = !isReadyable(status.name) && status.state?.terminated?.exitCode === 0;
      return { ...status, started: false, ready: completed };
    }
    const started = input.probes.started(id);
    return {
      ...status,
      started,
      ready: isReadyable(status.name) && started && input.probes.ready(id),
    };
  });
}

function isInitializing(pod: Pod, runtimePod: RuntimePod | undefined): boolean {
  if (pod.spec.containers.some((container) => latestContainer(runtimePod, container.name)))
    return false;
  return initContainersOf(pod).some((container) => {
    const latest = latestContainer(runtimePod, container.name);
    return isSidecar(container)
      ? latest === undefined
      : !(latest?.state === 'exited' && latest.exitCode === 0);
  });
}

function conditionsOf(
  input: StatusInput,
  statuses: readonly ContainerStatus[],
  phase: Phase,
): PodCondition[] {
  const old = input.old.conditions ?? [];
  const sandbox = readySandbox(input.runtimePod);
  const hasNetwork = sandbox !== undefined && (sandbox.hostNetwork || sandbox.ips.length > 0);
  const ready = containersReady(input.pod, statuses, phase);
  const fresh: PodCondition[] = [
    { type: 'PodReadyToStartContainers', status: hasNetwork ? 'True' : 'False' },
    initialized(input.pod, statuses, phase),
    podReady(input.pod, ready, old),
    ready,
    { type: 'PodScheduled', status: 'True' },
    ...restartingCondition(input.pod, input.runtimePod, input.old, phase),
    ...(input.resizeConditions ?? []),
    ...(input.failure?.condition ? [input.failure.condition] : []),
  ];
  const generation = input.pod.metadata.generation;
  return mergeConditions(
    fresh.map((one) =>
      generation === undefined ? one : { observedGeneration: generation, ...one },
    ),
    old,
    input.now,
  );
}

function addressesOf(input: StatusInput): Partial<PodStatus> {
  const hosts = { hostIP: input.hostIps[0] ?? '', hostIPs: input.hostIps.map((ip) => ({ ip })) };
  if (input.pod.spec.hostNetwork) return { ...hosts, podIP: hosts.hostIP, podIPs: hosts.hostIPs };
  const found = (readySandbox(input.runtimePod) ?? input.runtimePod?.sandboxes[0])?.ips ?? [];
  const ips = sortPodIps(found, input.hostIps);
  if (ips.length > 0) return { ...hosts, podIP: ips[0] ?? '', podIPs: ips.map((ip) => ({ ip })) };
  return input.old.podIP && !input.terminal
    ? hosts
    : {
        ...hosts,
        ...(input.old.podIP ? { podIP: input.old.podIP, podIPs: input.old.podIPs ?? [] } : {}),
      };
}

type Lists = Pick<
  PodStatus,
  'initContainerStatuses' | 'containerStatuses' | 'ephemeralContainerStatuses'
>;

function statusesOf(input: StatusInput): Lists {
  const { pod, old } = input;
  const initializing = isInitializing(pod, input.runtimePod);
  const inits = initContainersOf(pod);
  const ephemerals = ephemeralContainersOf(pod);
  const restartingAll = mustRestartAll(pod, input.runtimePod, old);
  const sidecars = new Set(inits.filter(isSidecar).map((one) => one.name));
  const of = (
    containers: readonly Container[],
    before: readonly ContainerStatus[] = [],
    waits = initializing,
  ): ContainerStatus[] =>
    containerStatuses({
      ...input,
      containers,
      old: before,
      initializing: waits,
      restartingAll,
    }).map((status) => {
      const latest = latestContainer(input.runtimePod, status.name);
      const last = before.find(({ name }) => name === status.name);
      return { ...status, ...input.resourcesOf?.(status.name, latest, last) };
    });
  return {
    initContainerStatuses: withProbes(of(inits, old.initContainerStatuses), input, (name) =>
      sidecars.has(name),
    ),
    containerStatuses: withProbes(
      of(pod.spec.containers, old.containerStatuses),
      input,
      () => true,
    ),
    ephemeralContainerStatuses: of(ephemerals, old.ephemeralContainerStatuses, false),
  };
}

/** The phase and why; a phase that ended stays. */
function verdictOf(
  input: StatusInput,
  statuses: readonly ContainerStatus[],
): { phase: Phase; reason?: string; message?: string } {
  const { old, failure } = input;
  if (old.phase === 'Succeeded' || old.phase === 'Failed')
    return {
      phase: old.phase,
      ...(old.reason ? { reason: old.reason } : {}),
      ...(old.message ? { message: old.message } : {}),
    };
  if (failure) return { phase: 'Failed', reason: failure.reason, message: failure.message };
  return { phase: phaseOf(input.pod, statuses, input.terminal) };
}

/** What the API shall say of a pod (k8s pkg/kubelet/kubelet_pods.go:generateAPIPodStatus). Pure. */
export function generateStatus(input: StatusInput): PodStatus {
  const { pod, old } = input;
  // A pod that was turned away has no containers to speak of.
  const lists: Lists = input.failure && !input.runtimePod ? {} : statusesOf(input);
  const { initContainerStatuses: init = [], containerStatuses: regular = [] } = lists;
  const verdict = verdictOf(input, [...init, ...regular]);
  const { generation } = pod.metadata;
  const status: PodStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...verdict,
    conditions: conditionsOf(input, [...init, ...regular], verdict.phase),
    ...addressesOf(input),
    startTime: old.startTime ?? input.now,
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    ...(lists.containerStatuses ? { containerStatuses: regular } : {}),
    ...(lists.ephemeralContainerStatuses?.length
      ? { ephemeralContainerStatuses: lists.ephemeralContainerStatuses }
      : {}),
    ...(lists.containerStatuses ? input.podResourcesOf?.() : {}),
    qosClass: old.qosClass ?? qosClassOf(pod),
  };
  return input.terminal ? atTheEnd(pod, status) : status;
}
