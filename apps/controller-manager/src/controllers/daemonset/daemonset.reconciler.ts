import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import {
  Backoff,
  Claimer,
  PodControl,
  StatusWriter,
  allOrFirstFailure,
  defineController,
  done,
  slowStart,
  toControllerRef,
} from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { createStaleSkips } from '../../stale-skips.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { ORPHANS, podInformer } from '../../pods/pod-indexes.js';
import { nextAvailabilityMs } from '../../pods/pod-state.js';
import type { Ensured } from '../../revisions/controller-revisions.js';
import { RevisionHistory } from '../../revisions/revision-history.js';
import { nodeOf, pinToNode } from './daemon-pod.js';
import { REVISION_HASH, planDaemons } from './daemonset.decide.js';
import type { DaemonPlan } from './daemonset.decide.js';

export interface DaemonCaches {
  readonly daemonSets: Lister<DaemonSet>;
  readonly nodes: Lister<Node>;
  readonly pods: Lister<Pod>;
}

export interface DaemonWrites {
  readonly podControl: PodControl;
  readonly claimer: Claimer<Pod>;
  readonly pods: ResourceClient<Pod>;
  readonly revisions: RevisionHistory;
  readonly status: StatusWriter<DaemonSetStatus, DaemonSet>;
  readonly events: EventRecorder;
}

const BURST = 250;
/** How long a node waits for the next pod after one has failed there (k8s pkg/controller/daemon: failedPodsBackoff). */
const FAILED_BACKOFF = { initialMs: 1_000, maxMs: 900_000 };

/** Keeps one pod of a DaemonSet on each node that fits. */
export class DaemonSetReconciler implements Reconciler {
  readonly #failed: Backoff;

  constructor(
    private readonly caches: DaemonCaches,
    private readonly writes: DaemonWrites,
    private readonly clock: Clock,
  ) {
    this.#failed = new Backoff(() => clock.monotonic(), FAILED_BACKOFF);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const daemonSet = this.caches.daemonSets.get(key);
    const selector = labelSelectorMatcher(daemonSet?.spec?.selector);
    if (!daemonSet?.spec || selector.empty || daemonSet.metadata.deletionTimestamp) return done;
    const { uid = '', namespace = '' } = daemonSet.metadata;
    const candidates = [
      ...this.caches.pods.byIndex(BY_OWNER, uid),
      ...this.caches.pods.byIndex(ORPHANS, namespace),
    ];
    const matches = selector.matches.bind(selector);
    const claimed = await this.writes.claimer.claim(daemonSet, matches, candidates);
    const revisions = await this.writes.revisions.claim(daemonSet, matches);
    const { current, collisions, duplicates } = await this.writes.revisions.ensure(
      daemonSet,
      revisions,
    );
    const hash = this.writes.revisions.hashOf(await this.writes.revisions.withHash(current));
    const pods = await this.#merge(duplicates, claimed, hash);
    const now = this.clock.now();
    const waits = this.#waits(daemonSet, pods);
    const plan = planDaemons({
      daemonSet,
      nodes: this.caches.nodes.list(),
      pods,
      hash,
      collisions,
      now,
      isResting: (node) => waits.has(node),
    });
    for (const pod of plan.ended) this.#noteEnded(daemonSet, pod);
    await this.#apply(daemonSet, plan, hash);
    await this.#forget(daemonSet, { revisions, current, duplicates }, pods);
    await this.writes.status.writeIfChanged(daemonSet, plan.status);
    const available = nextAvailabilityMs(pods, daemonSet.spec.minReadySeconds ?? 0, now);
    const rechecks = [...waits.values(), ...(available === undefined ? [] : [available])];
    return rechecks.length === 0 ? done : { requeueAfterMs: Math.min(...rechecks) };
  }

  /** Revisions of one template become one, whose pods are those of all (k8s pkg/controller/daemon/update.go:dedupCurHistories). */
  async #merge(
    duplicates: readonly ControllerRevision[],
    pods: readonly Pod[],
    hash: string,
  ): Promise<readonly Pod[]> {
    if (duplicates.length === 0) return pods;
    const patch = { metadata: { labels: { [REVISION_HASH]: hash } } };
    const relabelled = pods.map(async (pod) => {
      if (pod.metadata.labels?.[REVISION_HASH] === hash) return pod;
      const { namespace = '', name = '' } = pod.metadata;
      return this.writes.pods.patch({ namespace, name }, 'merge', patch);
    });
    const merged = await Promise.all(relabelled);
    await this.writes.revisions.forget(duplicates, 0);
    return merged;
  }

  /** Of the limit those that pods have count, and stay (k8s pkg/controller/daemon/update.go:cleanupHistory). */
  #forget(
    { spec }: DaemonSet,
    known: Pick<Ensured, 'current' | 'duplicates'> & {
      readonly revisions: readonly ControllerRevision[];
    },
    pods: readonly Pod[],
  ): Promise<void> {
    const names = new Set(
      [known.current, ...known.duplicates].map(({ metadata }) => metadata.name),
    );
    const old = known.revisions.filter(({ metadata }) => !names.has(metadata.name));
    const hashes = new Set(pods.map((pod) => pod.metadata.labels?.[REVISION_HASH] ?? ''));
    const unused = old.filter((revision) => !hashes.has(this.writes.revisions.hashOf(revision)));
    const live = old.length - unused.length;
    return this.writes.revisions.forget(unused, (spec?.revisionHistoryLimit ?? 10) - live);
  }

  /** Nodes whose failed pods stay for now, and for how long. */
  #waits(daemonSet: DaemonSet, pods: readonly Pod[]): ReadonlyMap<string, number> {
    const waits = new Map<string, number>();
    for (const pod of pods) {
      if (pod.status?.phase !== 'Failed') continue;
      const node = nodeOf(pod) ?? '';
      const ms = this.#failed.remainingSinceUpdate(backoffKey(daemonSet, node));
      if (ms > 0) waits.set(node, ms);
    }
    return waits;
  }

  #noteEnded(daemonSet: DaemonSet, pod: Pod): void {
    const { namespace = '', name = '' } = pod.metadata;
    const node = nodeOf(pod) ?? '';
    const what = `daemon pod ${namespace}/${name} on node ${node}, will try to`;
    const { events } = this.writes;
    if (pod.status?.phase === 'Succeeded') {
      events.event(daemonSet, 'Normal', 'SucceededDaemonPod', `Found succeeded ${what} delete it`);
      return;
    }
    this.#failed.collect();
    this.#failed.next(backoffKey(daemonSet, node), this.clock.monotonic());
    events.event(daemonSet, 'Warning', 'FailedDaemonPod', `Found failed ${what} kill it`);
  }

  async #apply(daemonSet: DaemonSet, plan: DaemonPlan, hash: string): Promise<void> {
    const { podControl } = this.writes;
    const controllerRef = toControllerRef(resources.daemonsets, daemonSet);
    const template = structuredClone(daemonSet.spec?.template ?? { spec: { containers: [] } });
    const labels = {
      ...template.metadata?.labels,
      ...generationLabel(daemonSet),
      [REVISION_HASH]: hash,
    };
    template.metadata = { ...template.metadata, labels };
    const create = plan.create.slice(0, BURST);
    await slowStart(create.length, (index) =>
      podControl.create({
        template,
        owner: daemonSet,
        controllerRef,
        edit: (pod) => {
          pinToNode(pod, create[index] ?? '');
        },
      }),
    );
    await allOrFirstFailure(plan.remove.map((pod) => podControl.delete(daemonSet, pod)));
  }
}

/** What the template was known by before its hash (k8s pkg/controller/daemon/util/daemonset_util.go:CreatePodTemplate). */
function generationLabel({ metadata }: DaemonSet): Record<string, string> {
  const generation = metadata.annotations?.['deprecated.daemonset.template.generation'];
  return generation === undefined ? {} : { 'pod-template-generation': generation };
}

/** A new template is given its own chance (k8s pkg/controller/daemon: failedPodsBackoffKey). */
const backoffKey = ({ metadata, status }: DaemonSet, node: string): string =>
  `${metadata.uid}/${status?.observedGeneration ?? 0}/${node}`;

/** What of a node decides about daemon pods. */
const placementOf = (node: Node): string =>
  JSON.stringify([node.metadata.labels, node.spec?.taints, node.spec?.unschedulable]);

export const daemonSetController: ControllerEntry = {
  name: 'daemonset-controller',
  definition({ informers, metrics }) {
    const daemonSets = informers.informer(resources.daemonsets).lister;
    const all = (): ObjectKey[] =>
      daemonSets.list().map(({ metadata: { namespace = '', name = '' } }) => ({ namespace, name }));
    return (
      defineController('daemonset-controller')
        .concurrency(2)
        .onStale(createStaleSkips(metrics, 'daemonset_controller', 'DaemonSet'))
        .for(resources.daemonsets)
        .owns(resources.pods, resources.daemonsets)
        .watches(resources.pods, adoptersOf(daemonSets, selectedBy), { changed: mattersToAdopters })
        // Read, not followed: what becomes of a revision is seen when its set is looked at next.
        .watches(resources.controllerrevisions, () => [])
        .watches(resources.nodes, all, {
          changed: (node, old) => placementOf(node) !== placementOf(old),
        })
        .build()
    );
  },
  create({ client, informers, events, clock }) {
    const recorder = events('daemonset-controller');
    const owners = client.resource<KubeObject>(resources.daemonsets as ResourceRef);
    return new DaemonSetReconciler(
      {
        daemonSets: informers.informer(resources.daemonsets).lister,
        nodes: informers.informer(resources.nodes).lister,
        pods: podInformer(informers).lister,
      },
      {
        podControl: new PodControl(client, recorder),
        claimer: new Claimer(client.resource(resources.pods), resources.daemonsets, owners),
        pods: client.resource(resources.pods),
        revisions: new RevisionHistory(client, informers, resources.daemonsets, REVISION_HASH),
        status: new StatusWriter<DaemonSetStatus, DaemonSet>(client.resource(resources.daemonsets)),
        events: recorder,
      },
      clock,
    );
  },
};
