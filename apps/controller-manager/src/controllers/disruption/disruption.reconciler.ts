import type { KubeObject, ObjectKey, OwnerReference } from '@orrery/apimachinery';
import { controllerOf, keyOf, labelSelectorMatcher } from '@orrery/apimachinery';
import type {
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
  ReplicaSet,
  ResourceRef,
} from '@orrery/api';
import { resources } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { StatusWriter, defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { budgetStatus } from './disruption.decide.js';

/** An eviction that came to nothing is forgotten after two minutes. */
const RECHECK_MS = 2 * 60_000;

type Scaled = KubeObject & { spec: { replicas?: number } };

export interface DisruptionCaches {
  readonly budgets: Lister<PodDisruptionBudget>;
  readonly pods: Lister<Pod>;
  /** By kind: what may own pods and has a scale. */
  readonly owners: Readonly<Record<string, Lister<Scaled>>>;
}

/** Keeps what a PodDisruptionBudget allows true; the eviction subresource spends it. */
export class DisruptionReconciler implements Reconciler {
  constructor(
    private readonly caches: DisruptionCaches,
    private readonly status: StatusWriter<PodDisruptionBudgetStatus, PodDisruptionBudget>,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const budget = this.caches.budgets.get(key);
    if (!budget) return done;
    const matcher = labelSelectorMatcher(budget.spec.selector);
    const pods = this.caches.pods
      .list(key.namespace ?? '')
      .filter((pod) => matcher.matches(pod.metadata.labels ?? {}));
    const status = budgetStatus({
      budget,
      pods,
      scale: this.scaleOf(pods),
      now: this.clock.now(),
    });
    await this.status.writeIfChanged(budget, status);
    return status.disruptedPods ? { requeueAfterMs: RECHECK_MS } : done;
  }

  /** The replicas that the pods' controllers want in all; undefined when one of them has no scale. */
  private scaleOf(pods: readonly Pod[]): number | undefined {
    const found = new Map<string, number>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      const scaled = owner && this.scaledOwner(owner, pod.metadata.namespace ?? '');
      if (!scaled) return undefined;
      found.set(scaled.metadata.uid ?? '', scaled.spec.replicas ?? 1);
    }
    return [...found.values()].reduce((sum, replicas) => sum + replicas, 0);
  }

  /** The controller itself, or the Deployment behind a ReplicaSet. */
  private scaledOwner(owner: OwnerReference, namespace: string): Scaled | undefined {
    const object = this.caches.owners[owner.kind]?.get({ namespace, name: owner.name });
    const above = object && controllerOf(object);
    return above ? (this.scaledOwner(above, namespace) ?? object) : object;
  }
}

const OWNERS: Readonly<Record<string, ResourceRef<Scaled>>> = {
  ReplicaSet: resources.replicasets as ResourceRef<ReplicaSet>,
  Deployment: resources.deployments,
  StatefulSet: resources.statefulsets,
  ReplicationController: resources.replicationcontrollers,
};

export const disruptionController: ControllerEntry = {
  name: 'disruption-controller',
  definition({ informers }) {
    const budgets = informers.informer(resources.poddisruptionbudgets).lister;
    const inNamespace = ({ metadata }: KubeObject): ObjectKey[] =>
      budgets.list(metadata.namespace).map(keyOf);
    const builder = defineController('disruption-controller')
      .for(resources.poddisruptionbudgets)
      .watches(resources.pods, inNamespace);
    for (const ref of Object.values(OWNERS))
      builder.watches(ref, inNamespace, {
        changed: (object, old) => object.spec.replicas !== old.spec.replicas,
      });
    return builder.build();
  },
  create: ({ client, informers, clock }) =>
    new DisruptionReconciler(
      {
        budgets: informers.informer(resources.poddisruptionbudgets).lister,
        pods: podInformer(informers).lister,
        owners: Object.fromEntries(
          Object.entries(OWNERS).map(([kind, ref]) => [kind, informers.informer(ref).lister]),
        ),
      },
      new StatusWriter<PodDisruptionBudgetStatus, PodDisruptionBudget>(
        client.resource(resources.poddisruptionbudgets),
      ),
      clock,
    ),
};
