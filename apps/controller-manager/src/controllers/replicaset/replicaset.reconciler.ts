import type { ObjectKey, OwnerReference } from '@orrery/apimachinery';
import { controllerOf } from '@orrery/apimachinery';
import type { Pod, PodTemplateSpec, ReplicaSetStatus } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { allOrFirstFailure, done, slowStart } from '@orrery/controller';
import type { Claimer, PodControl, Reconciler, Result, StatusWriter } from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { LabelMatcher, Lister } from '@orrery/informers';
import { isActive } from '../../pods/pod-state.js';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import { ORPHANS } from '../../pods/pod-indexes.js';
import type { PodsChosen } from './replicaset.metrics.js';
import { planReplicas, statusOf } from './replicaset.decide.js';
import type { ReplicaOwner, ReplicaPlan } from './replicaset.decide.js';

/** The differences between ReplicaSet and ReplicationController. */
export interface ReplicaKind<T extends ReplicaOwner> {
  readonly owners: Lister<T>;
  /** The owner's index by controlling owner is there: siblings share a Deployment. */
  readonly hasSiblings: boolean;
  /** Whether it has status.terminatingReplicas, on this server. */
  countsTerminating(): Promise<boolean>;
  matcherOf(owner: T): LabelMatcher | undefined;
  controllerRef(owner: T): OwnerReference;
}

export interface ReplicaActs {
  readonly podControl: PodControl;
  readonly claimer: Claimer<Pod>;
  /** Told which pods are about to go. */
  readonly chosen?: PodsChosen;
}

/** Keeps as many pods as a ReplicaSet, or ReplicationController, asks for. */
export class ReplicaSetReconciler<T extends ReplicaOwner> implements Reconciler {
  constructor(
    private readonly kind: ReplicaKind<T>,
    private readonly pods: Lister<Pod>,
    private readonly acts: ReplicaActs,
    private readonly status: StatusWriter<ReplicaSetStatus, T>,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const owner = this.kind.owners.get(key);
    const matches = owner && this.kind.matcherOf(owner);
    if (!owner || !matches) return done;
    const pods = await this.acts.claimer.claim(owner, matches, this.#candidates(owner));
    const now = this.clock.now();
    const plan = planReplicas(owner, pods, () => this.#related(owner, pods), now);
    if (plan.remove.length > 0) this.acts.chosen?.(pods.filter(isActive), plan.remove, now);
    const failure = await this.#apply(owner, plan).then(
      () => undefined,
      (error: unknown) => ({ error, creating: plan.create > 0 }),
    );
    const countsTerminating = await this.kind.countsTerminating();
    const { status, recheckAfterMs } = statusOf({ owner, pods, now, failure, countsTerminating });
    await this.status.writeIfChanged(owner, status);
    if (failure && !isNamespaceTerminating(failure.error)) throw failure.error;
    return recheckAfterMs === undefined ? done : { requeueAfterMs: recheckAfterMs };
  }

  #candidates(owner: T): Pod[] {
    const { uid = '', namespace = '' } = owner.metadata;
    return [...this.pods.byIndex(BY_OWNER, uid), ...this.pods.byIndex(ORPHANS, namespace)];
  }

  /** Active pods of all owners that have the same owner: of one Deployment, say. */
  #related(owner: T, own: readonly Pod[]): readonly Pod[] {
    const parent = this.kind.hasSiblings ? controllerOf(owner) : undefined;
    if (!parent) return own.filter(isActive);
    return this.kind.owners
      .byIndex(BY_OWNER, parent.uid)
      .flatMap((sibling) => this.pods.byIndex(BY_OWNER, sibling.metadata.uid ?? ''))
      .filter(isActive);
  }

  async #apply(owner: T, { create, remove }: ReplicaPlan): Promise<void> {
    const { podControl } = this.acts;
    const controllerRef = this.kind.controllerRef(owner);
    const template = (owner.spec?.template ?? {}) as PodTemplateSpec;
    await slowStart(create, () => podControl.create({ template, owner, controllerRef }));
    await allOrFirstFailure(remove.map((pod) => podControl.delete(owner, pod)));
  }
}
