import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { isTerminated } from '../../pods/pod-state.js';
import { claimsOfPod } from './claims-of-pod.js';

export const PROTECTION = 'kubernetes.io/pvc-protection';

/** Pure: whether a claim that is being deleted may go (k8s pkg/controller/volume/pvcprotection). */
export function mayGo(claim: PersistentVolumeClaim, pods: readonly Pod[]): boolean {
  const { deletionTimestamp, finalizers = [], name = '' } = claim.metadata;
  if (!deletionTimestamp || !finalizers.includes(PROTECTION)) return false;
  return !pods.some((pod) => !isTerminated(pod) && claimsOfPod(pod).includes(name));
}

/** Lets a deleted claim go when no pod uses it any more. */
export class PvcProtectionReconciler implements Reconciler {
  constructor(
    private readonly cache: Lister<PersistentVolumeClaim>,
    private readonly pods: { readonly cache: Lister<Pod>; readonly client: ResourceClient<Pod> },
    private readonly claims: ResourceClient<PersistentVolumeClaim>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const claim = this.cache.get(key);
    const { namespace = '' } = key;
    if (!claim || !mayGo(claim, this.pods.cache.list(namespace))) return done;
    // A pod may have come that the cache does not show yet: ask.
    const { items } = await this.pods.client.list({ namespace });
    if (!mayGo(claim, items)) return done;
    const finalizers = claim.metadata.finalizers?.filter((name) => name !== PROTECTION) ?? [];
    try {
      await this.claims.update({ ...claim, metadata: { ...claim.metadata, finalizers } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

const toClaims = (pod: Pod): ObjectKey[] =>
  claimsOfPod(pod).map((name) => ({ namespace: pod.metadata.namespace ?? '', name }));

export const pvcProtectionController: ControllerEntry = {
  name: 'persistentvolumeclaim-protection-controller',
  definition: () =>
    defineController('persistentvolumeclaim-protection-controller')
      .for(resources.persistentvolumeclaims)
      .watches(resources.pods, toClaims, {
        changed: (pod, old) => pod.status?.phase !== old.status?.phase,
      })
      .build(),
  create: ({ client, informers }) =>
    new PvcProtectionReconciler(
      informers.informer(resources.persistentvolumeclaims).lister,
      { cache: informers.informer(resources.pods).lister, client: client.resource(resources.pods) },
      client.resource(resources.persistentvolumeclaims),
    ),
};
