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

/** Why a pod that has not ended is taken away; '' where nothing is to be told. */
type Why = string;

/** Removes pods that nobody else will: of nodes that are gone, never scheduled, or terminated and too many. */
export class PodGcReconciler implements Reconciler {
  /** Monotonic time at which a node was first missed. */
  readonly #missed = new Map<string, number>();

  constructor(
    private readonly pods: Lister<Pod>,
    private readonly nodes: Lister<Node>,
    private readonly client: {
      readonly pods: ResourceClient<Pod>;
      readonly nodes: ResourceClient<Node>;
    },
    private readonly clock: Clock,
    private readonly threshold: number,
  ) {}

  async reconcile(): Promise<Result> {
    const pods = this.pods.list();
    const orphans = await this.#orphans(pods);
    const remove = new Map<Pod, Why>(orphans.map((pod) => [pod, 'node no longer exists']));
    const silent = [
      ...stranded(pods, this.nodes.list()),
      ...unscheduledTerminating(pods),
      ...surplusTerminated(pods, this.threshold),
    ];
    for (const pod of silent) if (!remove.has(pod)) remove.set(pod, '');
    await allOrFirstFailure([...remove].map(([pod, why]) => this.#remove(pod, why)));
    return { requeueAfterMs: PERIOD_MS };
  }

  async #orphans(pods: readonly Pod[]): Promise<Pod[]> {
    const now = this.clock.monotonic();
    const missing = new Set<string>();
    for (const pod of pods) {
      const name = pod.spec?.nodeName;
      if (name && !this.nodes.get({ name })) missing.add(name);
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
  async #fail({ metadata }: Pod, why: Why): Promise<void> {
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

  async #remove(pod: Pod, why: Why): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    const preconditions = uid ? { preconditions: { uid } } : {};
    try {
      if (why !== '' && !isTerminated(pod)) await this.#fail(pod, why);
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
  create: ({ client, informers, clock, options }) =>
    new PodGcReconciler(
      podInformer(informers).lister,
      informers.informer(resources.nodes).lister,
      { pods: client.resource(resources.pods), nodes: client.resource(resources.nodes) },
      clock,
      options.terminatedPodGcThreshold,
    ),
};
