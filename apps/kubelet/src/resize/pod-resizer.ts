import { isDeepStrictEqual } from 'node:util';
import type { Container, ContainerStatus, Pod, PodCondition } from '@orrery/api';
import { containerResources } from '../containers/resources.js';
import { findContainer, uidOf } from '../containers/visit.js';
import type { ResizeMetrics } from '../metrics/resize-metrics.js';
import type { ResizePlan } from '../pod-workers/compute-actions.js';
import type { PodEvents } from '../pod-workers/pod-events.js';
import type { ContainerResources, Runtime, RuntimeContainer } from '../runtime/runtime.js';
import { WHOLE_POD, allocationOf, withAllocation } from './allocation-store.js';
import type { Allocation, AllocationStore } from './allocation-store.js';
import { PodLevel } from './pod-level.js';
import type { ResizeStep } from './pod-level.js';
import { decideResize } from './resize-decision.js';
import type { ResizeDecision } from './resize-decision.js';

export interface PodResizerParts {
  readonly store: AllocationStore;
  readonly runtime: Pick<Runtime, 'updateContainerResources' | 'updatePodResources'>;
  readonly events: PodEvents;
  /** Pods that hold resources of this node. */
  active(): readonly Pod[];
  allocatable(): Readonly<Record<string, string>>;
  memoryCapacity(): number;
  /** A resize that had to wait may be possible now. */
  retry(uids: readonly string[]): void;
  readonly metrics?: ResizeMetrics | undefined;
}

/** Why a resize that waits is looked at again (k8s pkg/kubelet/allocation/allocation_manager.go:TriggerReason…). */
type RetryTrigger = 'pods_removed' | 'pod_resized';

interface Pending {
  readonly generation: number | undefined;
  trigger?: RetryTrigger;
  readonly decision: Exclude<ResizeDecision, { verdict: 'granted' }>;
}

interface Running {
  readonly generation: number | undefined;
  readonly error?: string;
}

/** The limits that a resize can change. */
const limitsOf = ({
  cpuShares,
  cpuQuota,
  memoryLimitBytes,
}: ContainerResources): readonly number[] => [cpuShares, cpuQuota, memoryLimitBytes];

const named = ({ name, resources }: Container): object => ({ name, resources });

const summary = ({ metadata, spec }: Pod): string =>
  JSON.stringify({
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(named) } : {}),
    containers: spec.containers.map(named),
    ...(spec.resources ? { resources: spec.resources } : {}),
    generation: metadata.generation,
  });

/**
 * Changes the resources of running containers: asked for in the spec, granted here if the node has them, then given to
 * the containers one by one (k8s pkg/kubelet/allocation, KEP-1287).
 */
export class PodResizer {
  private readonly pending = new Map<string, Pending>();
  private readonly running = new Map<string, Running>();
  /** The pods' sandboxes. */
  readonly whole: PodLevel;

  constructor(private readonly parts: PodResizerParts) {
    this.whole = new PodLevel(parts.runtime);
  }

  /** The pod as granted; a new wish in its spec is decided on the way. */
  allocated(pod: Pod): Pod {
    const uid = uidOf(pod);
    const { store } = this.parts;
    const granted = store.get(pod);
    const wanted = allocationOf(pod);
    if (!granted) {
      store.set(pod, wanted);
      return pod;
    }
    const added = Object.keys(wanted).some((name) => name !== WHOLE_POD && !(name in granted));
    const merged = added ? withNew(granted, wanted) : granted;
    if (isDeepStrictEqual(merged, wanted)) {
      this.pending.delete(uid);
      return pod;
    }
    const decision = this.decide(pod);
    if (decision.verdict !== 'granted') {
      this.hold(pod, decision);
      return withAllocation(pod, merged);
    }
    this.countAccepted(pod);
    this.pending.delete(uid);
    store.set(pod, wanted);
    this.running.set(uid, { generation: pod.metadata.generation });
    this.parts.events.pod(pod, 'Normal', 'ResizeStarted', `Pod resize started: ${summary(pod)}`);
    return pod;
  }

  /** As granted, without deciding anything. */
  granted(pod: Pod): Pod {
    const allocation = this.parts.store.get(pod);
    return allocation ? withAllocation(pod, allocation) : pod;
  }

  forget(uid: string): void {
    this.parts.store.forget(uid);
    this.whole.forget(uid);
    this.pending.delete(uid);
    this.running.delete(uid);
    this.retryAll('pods_removed');
  }

  /** Resizes that are not done: those that wait, by why, and those under way. */
  open(): Readonly<Record<'deferred' | 'infeasible' | 'inProgress', number>> {
    const waiting = [...this.pending.values()].map(({ decision }) => decision.verdict);
    const deferred = waiting.filter((verdict) => verdict === 'Deferred').length;
    const infeasible = waiting.length - deferred;
    return { deferred, infeasible, inProgress: this.running.size };
  }

  private retryAll(trigger: RetryTrigger): void {
    if (this.pending.size === 0) return;
    for (const one of this.pending.values()) one.trigger = trigger;
    this.parts.retry([...this.pending.keys()]);
  }

  private countAccepted(pod: Pod): void {
    const waited = this.pending.get(uidOf(pod));
    if (waited?.decision.verdict !== 'Deferred') return;
    const isSame = waited.generation === pod.metadata.generation;
    const retry_trigger = isSame ? (waited.trigger ?? 'periodic_retry') : 'pod_updated';
    this.parts.metrics?.accepted.inc({ retry_trigger });
  }

  plan(pod: Pod, container: Container, status: RuntimeContainer): ResizePlan {
    const now = status.resources;
    if (!now) return 'none';
    const target = this.target(pod, container);
    if (isDeepStrictEqual(limitsOf(now), limitsOf(target))) return 'none';
    const changed = [
      ...(now.memoryLimitBytes === target.memoryLimitBytes ? [] : ['memory']),
      ...(now.cpuShares === target.cpuShares && now.cpuQuota === target.cpuQuota ? [] : ['cpu']),
    ];
    const restarts = container.resizePolicy?.some(
      (one) => one.restartPolicy === 'RestartContainer' && changed.includes(one.resourceName),
    );
    return restarts ? 'restart' : 'update';
  }

  async apply(pod: Pod, container: Container, status: RuntimeContainer): Promise<void> {
    await this.tried(pod, `container ${container.name}`, () =>
      this.parts.runtime.updateContainerResources(status.id, this.target(pod, container)),
    );
  }

  /** One step of what the pod as a whole may use. */
  async applyWhole(pod: Pod, sandboxId: string, step: ResizeStep): Promise<void> {
    await this.tried(pod, 'pod', () => this.whole.apply(pod, sandboxId, step));
  }

  private async tried(pod: Pod, what: string, work: () => Promise<void>): Promise<void> {
    const uid = uidOf(pod);
    const { generation } = pod.metadata;
    try {
      await work();
      if (this.running.has(uid)) this.running.set(uid, { generation });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.running.set(uid, { generation, error: text });
      const message = `Pod resize error: failed to resize ${what}: ${text}`;
      this.parts.events.pod(pod, 'Warning', 'ResizeError', message);
      throw error;
    }
  }

  /** The two conditions of a resize; none once it is done. */
  conditions(pod: Pod, containers: readonly RuntimeContainer[]): PodCondition[] {
    const uid = uidOf(pod);
    const waits = this.pending.get(uid);
    this.finishWhenDone(pod, containers);
    const runs = this.running.get(uid);
    return [
      ...(waits
        ? [
            {
              type: 'PodResizePending',
              status: 'True' as const,
              reason: waits.decision.verdict,
              message: waits.decision.message,
              ...observed(waits.generation),
            },
          ]
        : []),
      ...(runs
        ? [
            {
              type: 'PodResizeInProgress',
              status: 'True' as const,
              ...(runs.error === undefined ? {} : { reason: 'Error', message: runs.error }),
              ...observed(runs.generation),
            },
          ]
        : []),
    ];
  }

  /** What the container's status says of its resources: as granted, and as it has them. */
  statusOf(
    pod: Pod,
    name: string,
    container: RuntimeContainer | undefined,
    old: ContainerStatus | undefined,
  ): Pick<ContainerStatus, 'allocatedResources' | 'resources'> {
    const granted = this.granted(pod);
    const spec = findContainer(granted, name);
    if (!spec) return {};
    const { requests, limits } = spec.resources ?? {};
    const actual = container?.state === 'running' && this.plan(granted, spec, container) !== 'none';
    return {
      ...(requests && Object.keys(requests).length > 0 ? { allocatedResources: requests } : {}),
      resources:
        actual && old?.resources
          ? old.resources
          : { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
    };
  }

  private target(pod: Pod, container: Container): ContainerResources {
    return containerResources(pod, container, this.parts.memoryCapacity());
  }

  private decide(pod: Pod): ResizeDecision {
    const others = this.parts
      .active()
      .filter((one) => uidOf(one) !== uidOf(pod))
      .map((one) => this.granted(one));
    return decideResize({ pod, others, allocatable: this.parts.allocatable() });
  }

  private hold(pod: Pod, decision: Pending['decision']): void {
    const uid = uidOf(pod);
    const { generation } = pod.metadata;
    const before = this.pending.get(uid);
    if (before?.decision.message === decision.message && before.generation === generation) return;
    this.pending.set(uid, { generation, decision });
    if (decision.verdict === 'Infeasible')
      this.parts.metrics?.infeasible.inc({ reason_detail: decision.detail });
    this.parts.events.pod(
      pod,
      'Warning',
      `Resize${decision.verdict}`,
      `Pod resize ${decision.verdict}: ${summary(pod)}: ${decision.message}`,
    );
  }

  private finishWhenDone(pod: Pod, containers: readonly RuntimeContainer[]): void {
    const uid = uidOf(pod);
    if (!this.running.has(uid)) return;
    const granted = this.granted(pod);
    const open = containers.some((one) => {
      const spec = findContainer(granted, one.name);
      return spec && one.state === 'running' && this.plan(granted, spec, one) !== 'none';
    });
    if (open || this.whole.isChanging(granted)) return;
    this.running.delete(uid);
    this.parts.events.pod(
      pod,
      'Normal',
      'ResizeCompleted',
      `Pod resize completed: ${summary(granted)}`,
    );
    this.retryAll('pod_resized');
  }
}

/** With the containers that are new in the wish; what the pod as a whole may use is not. */
const withNew = (granted: Allocation, wanted: Allocation): Allocation => ({
  ...Object.fromEntries(Object.entries(wanted).filter(([name]) => name !== WHOLE_POD)),
  ...granted,
});

const observed = (generation: number | undefined): { observedGeneration?: number } =>
  generation === undefined ? {} : { observedGeneration: generation };
