import type { Container, Pod, PodCondition, PodStatus } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import type { Runtime, RuntimeContainer, RuntimePod, SandboxConfig } from '../runtime/runtime.js';
import type { ResizeStep } from '../resize/pod-level.js';
import type { WaitingReason } from '../status/container-statuses.js';
import type { ProbeVerdicts, ResizePlan } from './compute-actions.js';
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
  readonly metrics?: Pick<KubeletMetrics, 'pods' | 'resizes'> | undefined;
}

/** Why the kubelet itself ended a pod, e.g. OutOfcpu, DeadlineExceeded, Evicted. */
export interface PodFailure extends WaitingReason {
  /** Set beside the phase, e.g. DisruptionTarget. */
  readonly condition?: PodCondition;
}

/** Steps of a worker that other parts of the kubelet do. */
export interface WorkerHooks {
  /** Newest runtime state; `refresh` asks the runtime. */
  cached(uid: string): RuntimePod | undefined;
  refresh(uid: string): Promise<RuntimePod | undefined>;
  /** Undefined = may run. Asked once. */
  admit(pod: Pod): WaitingReason | undefined;
  /** The pod with the resources that this node has granted it, which a resize may not have reached yet. */
  allocated(pod: Pod): Pod;
  /** What a resize still asks of a running container. */
  resizePlan(pod: Pod, container: Container, status: RuntimeContainer): ResizePlan;
  /** Gives a running container its granted resources. */
  applyResize(pod: Pod, container: Container, status: RuntimeContainer): Promise<void>;
  /** A sandbox was made for the pod as it was granted. */
  sandboxMade(pod: Pod, sandboxId: string): void;
  /** Whether the sandbox may use more or less than the pod was granted. */
  isPodResized(pod: Pod, sandboxId: string): boolean;
  /** Gives the sandbox what the pod was granted, or room for it. */
  resizePod(pod: Pod, sandboxId: string, step: ResizeStep): Promise<void>;
  /** Undefined when the pod network is up, else upstream's text. */
  networkProblem(): string | undefined;
  /** Makes folders and mounts volumes; rejects while something is missing. */
  prepare(pod: Pod): Promise<void>;
  /** Before each new sandbox: the devices of the pod's claims; rejects while they are not ready. */
  prepareDevices(pod: Pod): Promise<void>;
  sandboxConfig(pod: Pod, attempt: number): SandboxConfig;
  /** Name of the runtime by the pod's RuntimeClass, '' = the default one; rejects when there is no such class. */
  runtimeHandler(pod: Pod): Promise<string>;
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
  readonly failure: PodFailure | undefined;
}
