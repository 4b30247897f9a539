import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { formatLabelSelector, keyOf, labelSelectorMatcher } from '@orrery/apimachinery';
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
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { KindMapper } from '../../discovery/kind-mapper.js';
import { budgetStatus, needsScale } from './disruption.decide.js';
import { ExpectedScales, NoScale } from './expected-scale.js';
import type { Scaled } from './expected-scale.js';

/** An eviction that came to nothing is forgotten after two minutes. */
const RECHECK_MS = 2 * 60_000;
/** A controller that nobody knew may have come. */
const RETRY_MS = 15_000;

export interface DisruptionCaches {
  readonly budgets: Lister<PodDisruptionBudget>;
  readonly pods: Lister<Pod>;
}

/** Keeps what a PodDisruptionBudget allows true; the eviction subresource spends it. */
export class DisruptionReconciler implements Reconciler {
  constructor(
    private readonly caches: DisruptionCaches,
    private readonly scales: ExpectedScales,
    private readonly status: StatusWriter<PodDisruptionBudgetStatus, PodDisruptionBudget>,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const budget = this.caches.budgets.get(key);
    if (!budget) return done;
    const matcher = labelSelectorMatcher(budget.spec.selector);
    const pods = this.caches.pods
      .list(key.namespace ?? '')
      .filter((pod) => matcher.matches(pod.metadata.labels ?? {}));
    if (pods.length === 0) this.events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
    const scale = needsScale(budget) ? await this.#scaleOf(budget, pods) : 0;
    const status = budgetStatus({ budget, pods, scale, now: this.clock.now() });
    await this.status.writeIfChanged(budget, status);
    if (typeof scale !== 'number') return { requeueAfterMs: RETRY_MS };
    return status.disruptedPods ? { requeueAfterMs: RECHECK_MS } : done;
  }

  async #scaleOf(
    budget: PodDisruptionBudget,
    pods: readonly Pod[],
  ): Promise<number | { readonly problem: string }> {
    try {
      const { replicas, unmanaged } = await this.scales.of(pods);
      if (unmanaged.length > 0) {
        const selector = formatLabelSelector(budget.spec.selector);
        const text = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
        this.events.event(budget, 'Warning', 'UnmanagedPods', text);
      }
      return replicas;
    } catch (error) {
      if (!(error instanceof NoScale)) throw error;
      const { message: problem } = error;
      this.events.event(budget, 'Warning', 'NoControllers', problem);
      const text = `Failed to calculate the number of expected pods: ${problem}`;
      this.events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', text);
      return { problem };
    }
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
  create: ({ client, informers, events, clock }) =>
    new DisruptionReconciler(
      {
        budgets: informers.informer(resources.poddisruptionbudgets).lister,
        pods: podInformer(informers).lister,
      },
      new ExpectedScales(
        Object.fromEntries(
          Object.entries(OWNERS).map(([kind, ref]) => [kind, informers.informer(ref).lister]),
        ),
        client,
        new KindMapper(client, clock),
      ),
      new StatusWriter<PodDisruptionBudgetStatus, PodDisruptionBudget>(
        client.resource(resources.poddisruptionbudgets),
      ),
      events('controllermanager'),
      clock,
    ),
};
