import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { allOrFirstFailure, defineController } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { isTerminated } from '../../pods/pod-state.js';
import { createPodGcMeters } from './pod-gc.metrics.js';
import type { DeletionReason, PodDeletion } from './pod-gc.metrics.js';

/** k8s pkg/controller/podgc: gcCheckPeriod, quarantineTime. */
const PERIOD_MS = 20_000;
const QUARANTINE_MS = 40_000;
const ALL: ObjectKey = { name: 'pods' };

const createdAt = (pod: Pod): string => pod.metadata.creationTimestamp ?? '';

const isEvicted = ({ status }: Pod): boolean =>
  status?.phase === 'Failed' && status.reason === 'Evicted';

/** Evicted pods, then the oldest, then by name (k8s podgc: byEvictionAndCreationTimestamp). */
function byAge(a: Pod, b: Pod): number {
  const evicted = Number(isEvicted(b)) - Number(isEvicted(a));
  if (evicted !== 0) return evicted;
  const [before, after] = [createdAt(a), createdAt(b)];
  if (before !== after) return before < after ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** Pure: terminated pods beyond the threshold: those that go first. */
export function surplusTerminated(pods: readonly Pod[], threshold: number): Pod[] {
  if (threshold <= 0) return [];
  const terminated = pods.filter((pod) => isTerminated(pod) && !pod.metadata.deletionTimestamp);
  return terminated.sort(byAge).slice(0, Math.max(terminated.length - threshold, 0));
}

/** Pure: pods that are being deleted but that no kubelet will ever see. */
export const unscheduledTerminating = (pods: readonly Pod[]): Pod[] =>
  pods.filter((pod) => pod.metadata.deletionTimestamp && !pod.spec?.nodeName);

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Whether somebody has said that the node will not come back, and it is not ready (k8s podgc: gcTerminating). */
export const isOutOfService = ({ spec, status }: Node): boolean =>
  (spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE) &&
  !(status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');

/** Pure: pods that are being deleted on nodes that are out of service. */
export function stranded(pods: readonly Pod[], nodes: readonly Node[]): Pod[] {
  const names = new Set(nodes.filter(isOutOfService).map(({ metadata }) => metadata.name));
  return pods.filter(
    ({ metadata, spec }) => metadata.deletionTimestamp && names.has(spec?.nodeName ?? ''),
  );
}

/** What is said of a pod that goes before it has ended; of the others nothing is to be told. */
const TOLD: Partial<Record<DeletionReason, string>> = { orphaned: 'node no longer exists' };

export interface PodGcCaches {
  readonly pods: Lister<Pod>;
  readonly nodes: Lister<Node>;
}

/** Removes pods that nobody else will: of nodes that are gone, never scheduled, or terminated and too many. */
export class PodGcReconciler implements Reconciler {
  /** Monotonic time at which a node was first missed. */
  readonly #missed = new Map<string, number>();

  constructor(
    private readonly caches: PodGcCaches,
    private readonly client: {
      readonly pods: ResourceClient<Pod>;
      readonly nodes: ResourceClient<Node>;
    },
    private readonly clock: Clock,
    private readonly threshold: number,
    private readonly counted: PodDeletion,
  ) {}

  async reconcile(): Promise<Result> {
    const pods = this.caches.pods.list();
    const found: readonly (readonly [DeletionReason, readonly Pod[]])[] = [
      ['orphaned', await this.#orphans(pods)],
      ['out-of-service', stranded(pods, this.caches.nodes.list())],
      ['unscheduled', unscheduledTerminating(pods)],
      ['terminated', surplusTerminated(pods, this.threshold)],
    ];
    const remove = new Map<Pod, DeletionReason>();
    for (const [reason, some] of found)
      for (const pod of some) if (!remove.has(pod)) remove.set(pod, reason);
    await allOrFirstFailure(
      [...remove].map(([pod, reason]) =>
        this.counted(pod.metadata.namespace ?? '', reason, () => this.#remove(pod, reason)),
      ),
    );
    return { requeueAfterMs: PERIOD_MS };
  }

  async #orphans(pods: readonly Pod[]): Promise<Pod[]> {
    const now = this.clock.monotonic();
    const missing = new Set<string>();
    for (const pod of pods) {
      const name = pod.spec?.nodeName;
      if (name && !this.caches.nodes.get({ name })) missing.add(name);
    }
    for (const name of this.#missed.keys()) if (!missing.has(name)) this.#missed.delete(name);
    const gone = new Set<string>();
    for (const name of missing) {
      const since = this.#missed.get(name) ?? now;
      this.#missed.set(name, since);
      if (now - since >= QUARANTINE_MS && (await this.#isGone(name))) gone.add(name);
    }
    return pods.filter((pod) => gone.has(pod.spec?.nodeName ?? ''));
  }

  async #isGone(name: string): Promise<boolean> {
    try {
      await this.client.nodes.get({ name });
      return false;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  /** Its controller is to know that it failed, and by no fault of its own. */
  async #fail({ metadata }: Pod, why: string): Promise<void> {
    const { namespace = '', name = '', uid } = metadata;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: `PodGC: ${why}`,
      lastTransitionTime: toTime(this.clock.now()),
    };
    const patch = { metadata: { uid }, status: { phase: 'Failed', conditions: [condition] } };
    const status = { subresource: 'status' };
    await this.client.pods.patch({ namespace, name }, 'strategic', patch, status);
  }

  async #remove(pod: Pod, reason: DeletionReason): Promise<void> {
    const why = TOLD[reason];
    const { namespace = '', name = '', uid } = pod.metadata;
    const preconditions = uid ? { preconditions: { uid } } : {};
    try {
      if (why !== undefined && !isTerminated(pod)) await this.#fail(pod, why);
      await this.client.pods.delete(
        { namespace, name },
        { gracePeriodSeconds: 0, ...preconditions },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

export const podGcController: ControllerEntry = {
  name: 'pod-garbage-collector-controller',
  definition: () =>
    defineController('pod-garbage-collector-controller')
      .initially(ALL)
      .watches(resources.pods, (pod) =>
        pod.metadata.deletionTimestamp && !pod.spec?.nodeName ? [ALL] : [],
      )
      .watches(resources.nodes, () => [], { changed: () => false })
      .build(),
  create: ({ client, informers, clock, options, metrics }) =>
    new PodGcReconciler(
      {
        pods: podInformer(informers).lister,
        nodes: informers.informer(resources.nodes).lister,
      },
      { pods: client.resource(resources.pods), nodes: client.resource(resources.nodes) },
      clock,
      options.terminatedPodGcThreshold,
      createPodGcMeters(metrics),
    ),
};
