import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound, labelSelectorMatcher } from '@orrery/apimachinery';
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { allOrFirstFailure, done } from '@orrery/controller';
import type { Claimer, EventRecorder, Reconciler, Result, StatusWriter } from '@orrery/controller';
import { BY_OWNER } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import { planDeployment, resizeMessage } from './deployment.decide.js';
import type { DeploymentPlan } from './deployment.decide.js';
import { sameTemplate } from './pod-template-hash.js';
import { resized, toRollout } from './revisions.js';
import { REVISION, isRolling, sizeOf } from './rollout.js';

export interface DeploymentCaches {
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly pods: Lister<Pod>;
}

export interface DeploymentWrites {
  readonly replicaSets: ResourceClient<ReplicaSet>;
  readonly claimer: Claimer<ReplicaSet>;
  readonly status: StatusWriter<DeploymentStatus, Deployment>;
}

/** Rolls a Deployment's template out over ReplicaSets, one step for each change that it sees. */
export class DeploymentReconciler implements Reconciler {
  constructor(
    private readonly caches: DeploymentCaches,
    private readonly writes: DeploymentWrites,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const deployment = this.caches.deployments.get(key);
    if (!deployment) return done;
    const selector = labelSelectorMatcher(deployment.spec.selector);
    if (selector.empty) {
      const text = 'This deployment is selecting all pods. A non-empty selector is required.';
      this.events.event(deployment, 'Warning', 'SelectingAll', text);
      return done;
    }
    const candidates = this.caches.replicaSets.list(key.namespace);
    const matches = selector.matches.bind(selector);
    const sets = await this.writes.claimer.claim(deployment, matches, candidates);
    const plan = planDeployment(
      deployment,
      sets,
      this.#oldPods(deployment, sets),
      this.clock.now(),
    );
    await this.#act(deployment, plan);
    await this.#report(deployment, plan);
    return plan.recheckAfterMs === undefined ? done : { requeueAfterMs: plan.recheckAfterMs };
  }

  #oldPods(deployment: Deployment, sets: readonly ReplicaSet[]): Pod[] {
    if (isRolling(deployment)) return [];
    const { oldSets } = toRollout(deployment, sets);
    return oldSets.flatMap((rs) => this.caches.pods.byIndex(BY_OWNER, rs.metadata.uid ?? ''));
  }

  async #act(deployment: Deployment, plan: DeploymentPlan): Promise<void> {
    if (plan.create) await this.#create(deployment, plan.create);
    if (plan.refresh) await this.writes.replicaSets.update(plan.refresh);
    for (const resize of plan.resizes) {
      const wanted = resized(deployment, resize);
      if (!wanted) continue;
      await this.writes.replicaSets.update(wanted);
      const message = resizeMessage(resize);
      if (message) this.events.event(deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    await allOrFirstFailure(plan.remove.map((rs) => this.#remove(rs)));
  }

  /** The revision is noted along with the status: that is no new generation (k8s deployment/sync.go:getNewReplicaSet). */
  async #report(deployment: Deployment, { revision, status }: DeploymentPlan): Promise<void> {
    if (revision === undefined) {
      await this.writes.status.writeIfChanged(deployment, status);
      return;
    }
    const { metadata } = deployment;
    const annotations = { ...metadata.annotations, [REVISION]: revision };
    await this.writes.status.write(
      { ...deployment, metadata: { ...metadata, annotations } },
      status,
    );
  }

  async #create(deployment: Deployment, wanted: ReplicaSet): Promise<void> {
    try {
      await this.writes.replicaSets.create(wanted);
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      if (!isAlreadyExists(error)) {
        const text = `Failed to create new replica set "${wanted.metadata.name ?? ''}": ${String(error)}`;
        this.events.event(deployment, 'Warning', 'ReplicaSetCreateError', text);
        throw error;
      }
      await this.#collide(deployment, wanted);
      throw error;
    }
    const size = sizeOf(wanted);
    if (size > 0) {
      const text = `Scaled up replica set ${wanted.metadata.name ?? ''} from 0 to ${size}`;
      this.events.event(deployment, 'Normal', 'ScalingReplicaSet', text);
    }
  }

  /** The name is taken: by our own set that the cache lacks (then the retry finds it), or by another template. */
  async #collide(deployment: Deployment, wanted: ReplicaSet): Promise<void> {
    const { namespace = '', name = '' } = wanted.metadata;
    const found = await this.writes.replicaSets.get({ namespace, name });
    const ours = found.metadata.ownerReferences?.some((o) => o.uid === deployment.metadata.uid);
    const same =
      found.spec?.template && sameTemplate(found.spec.template, deployment.spec.template);
    if (ours && same) return;
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.writes.status.writeIfChanged(deployment, { ...deployment.status, collisionCount });
  }

  async #remove(rs: ReplicaSet): Promise<void> {
    const { namespace = '', name = '', uid = '' } = rs.metadata;
    try {
      await this.writes.replicaSets.delete({ namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
