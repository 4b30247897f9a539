import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { PersistentVolume } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';

const NAME = 'persistentvolume-protection-controller';
export const PROTECTION = 'kubernetes.io/pv-protection';

/** Pure: the finalizers that the volume should have; undefined when it has them (k8s pkg/controller/volume/pvprotection). */
export function wantedFinalizers({ metadata, status }: PersistentVolume): string[] | undefined {
  const { finalizers = [], deletionTimestamp } = metadata;
  const has = finalizers.includes(PROTECTION);
  if (!deletionTimestamp) return has ? undefined : [...finalizers, PROTECTION];
  if (!has || status?.phase === 'Bound') return undefined;
  return finalizers.filter((name) => name !== PROTECTION);
}

/** Lets a deleted volume go when no claim is bound to it any more. */
export class PvProtectionReconciler implements Reconciler {
  constructor(
    private readonly cache: Lister<PersistentVolume>,
    private readonly volumes: ResourceClient<PersistentVolume>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const volume = this.cache.get(key);
    const finalizers = volume && wantedFinalizers(volume);
    if (!volume || !finalizers) return done;
    try {
      await this.volumes.update({ ...volume, metadata: { ...volume.metadata, finalizers } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

export const pvProtectionController: ControllerEntry = {
  name: NAME,
  definition: () => defineController(NAME).for(resources.persistentvolumes).build(),
  create: ({ client, informers }) =>
    new PvProtectionReconciler(
      informers.informer(resources.persistentvolumes).lister,
      client.resource(resources.persistentvolumes),
    ),
};
