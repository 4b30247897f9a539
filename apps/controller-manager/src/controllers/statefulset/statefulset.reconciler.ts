import type { ObjectKey } from '@orrery/apimachinery';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { allOrFirstFailure, done, slowStart } from '@orrery/controller';
import type { Claimer, Reconciler, Result, StatusWriter } from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { LabelMatcher, Lister } from '@orrery/informers';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import { ORPHANS } from '../../pods/pod-indexes.js';
import { nextAvailabilityMs } from '../../pods/pod-state.js';
import type { RevisionHistory } from '../../revisions/revision-history.js';
import { REVISION_LABEL, ordinalOf, templateOf } from './stateful-identity.js';
import type { StatefulPodControl } from './stateful-pod-control.js';
import { statefulSetStatus } from './statefulset-status.js';
import type { StatefulMeters } from './statefulset.metrics.js';
import { arrange, planStatefulSet } from './statefulset.decide.js';
import type { StatefulPlan, StatefulWorld } from './statefulset.decide.js';

export interface StatefulCaches {
  readonly sets: Lister<StatefulSet>;
  readonly pods: Lister<Pod>;
}

export interface StatefulWrites {
  readonly podControl: StatefulPodControl;
  readonly claimer: Claimer<Pod>;
  readonly revisions: RevisionHistory;
  readonly status: StatusWriter<StatefulSetStatus, StatefulSet>;
}

interface Revisions {
  readonly all: readonly ControllerRevision[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly collisions: number;
}

const nameOf = ({ metadata }: ControllerRevision): string => metadata.name ?? '';

/** Keeps the numbered pods of a StatefulSet, each with its name and its claims. */
export class StatefulSetReconciler implements Reconciler {
  constructor(
    private readonly caches: StatefulCaches,
    private readonly writes: StatefulWrites,
    private readonly clock: Clock,
    private readonly meters: StatefulMeters,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const set = this.caches.sets.get(key);
    if (!set) this.meters.forget(key);
    const selector = labelSelectorMatcher(set?.spec?.selector);
    if (!set?.spec || selector.empty) return done;
    const matches = selector.matches.bind(selector);
    const pods = await this.#claim(set, matches);
    const revisions = await this.#revisions(set, matches);
    const now = this.clock.now();
    const world: StatefulWorld = {
      set,
      pods,
      currentRevision: nameOf(revisions.current),
      updateRevision: nameOf(revisions.update),
      collisions: revisions.collisions,
      now,
    };
    this.meters.planned(world);
    const failure = await this.#apply(world, planStatefulSet(world), revisions).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await this.writes.status.writeIfChanged(set, statefulSetStatus(world));
    if (failure && !isNamespaceTerminating(failure.error)) throw failure.error;
    await this.#forget(world, revisions);
    const recheck = nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, now);
    return recheck === undefined ? done : { requeueAfterMs: recheck };
  }

  async #claim(set: StatefulSet, matches: LabelMatcher) {
    const { uid = '', namespace = '' } = set.metadata;
    const orphans = this.caches.pods.byIndex(ORPHANS, namespace);
    const candidates = [...this.caches.pods.byIndex(BY_OWNER, uid), ...orphans];
    const members = candidates.filter((pod) => ordinalOf(set, pod) !== undefined);
    return this.writes.claimer.claim(set, matches, members);
  }

  async #revisions(set: StatefulSet, matches: LabelMatcher): Promise<Revisions> {
    const all = await this.writes.revisions.claim(set, matches);
    const { current: update, collisions } = await this.writes.revisions.ensure(set, all);
    const current = all.find((revision) => nameOf(revision) === set.status?.currentRevision);
    return { all, update, current: current ?? update, collisions };
  }

  async #apply(world: StatefulWorld, plan: StatefulPlan, revisions: Revisions): Promise<void> {
    const { set } = world;
    const { podControl } = this.writes;
    const condemned = new Set(arrange(world).condemned);
    if (set.spec?.volumeClaimTemplates && !set.metadata.deletionTimestamp)
      for (const pod of world.pods) await podControl.retain(set, pod, condemned.has(pod));
    for (const pod of plan.relabel) await podControl.relabel(set, pod);
    const { current, update } = revisions;
    await slowStart(plan.create.length, async (index) => {
      const wanted = plan.create[index];
      if (!wanted) return;
      const revision = wanted.revision === nameOf(update) ? update : current;
      await podControl.create(set, wanted, templateOf(revision));
    });
    await allOrFirstFailure(plan.remove.map((pod) => podControl.delete(set, pod)));
  }

  async #forget({ set, pods }: StatefulWorld, { all, current, update }: Revisions): Promise<void> {
    const names = new Set(pods.map((pod) => pod.metadata.labels?.[REVISION_LABEL] ?? ''));
    for (const revision of [current, update]) names.add(nameOf(revision));
    const unused = all.filter((revision) => !names.has(nameOf(revision)));
    await this.writes.revisions.forget(unused, set.spec?.revisionHistoryLimit ?? 10);
  }
}
