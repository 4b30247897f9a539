import type { ObjectKey } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { classOf } from '../persistent-volume/match-volume.js';
import { decideExpansion, expansionStatus } from './expander.decide.js';

const NAME = 'persistentvolume-expander-controller';

export interface ExpanderCaches {
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly classes: Lister<StorageClass>;
}

/** Gives volumes the size that their claims ask for. */
export class ExpanderReconciler implements Reconciler {
  constructor(
    private readonly caches: ExpanderCaches,
    private readonly client: KubeClient,
    private readonly events: EventRecorder,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const claim = this.caches.claims.get(key);
    if (!claim) return done;
    const { volumeName } = claim.spec ?? {};
    const volume = volumeName ? this.caches.volumes.get({ name: volumeName }) : undefined;
    const storage = this.caches.classes.get({ name: classOf(claim) });
    const expansion = decideExpansion({ claim, volume, storage });
    if (expansion.act === 'external')
      this.events.event(claim, 'Normal', 'ExternalExpanding', expansion.message);
    if (expansion.act !== 'expand' || !volume) return done;
    await this.#expand(claim, volume, expansion);
    return done;
  }

  async #expand(
    claim: PersistentVolumeClaim,
    volume: PersistentVolume,
    { size, growVolume }: { readonly size: string; readonly growVolume: boolean },
  ): Promise<void> {
    const claims = this.client.resource(resources.persistentvolumeclaims);
    const now = this.clock.now();
    const marked = await claims.updateStatus({ ...claim, status: expansionStatus(claim, now) });
    if (growVolume) {
      const capacity = { ...volume.spec?.capacity, storage: size };
      const volumes = this.client.resource(resources.persistentvolumes);
      await volumes.update({ ...volume, spec: { ...volume.spec, capacity } });
    }
    await claims.updateStatus({ ...marked, status: expansionStatus(marked, now, size) });
    const { namespace = '', name = '' } = claim.metadata;
    const text = `ExpandVolume succeeded for volume ${namespace}/${name}`;
    this.events.event(claim, 'Normal', 'VolumeResizeSuccessful', text);
  }
}

export const expanderController: ControllerEntry = {
  name: NAME,
  definition: () =>
    defineController(NAME)
      .for(resources.persistentvolumeclaims)
      .watches(resources.persistentvolumes, ({ spec }) => {
        const { namespace, name } = spec?.claimRef ?? {};
        return namespace && name ? [{ namespace, name }] : [];
      })
      .watches(resources.storageclasses, () => [])
      .build(),
  create: ({ client, informers, events, clock }) =>
    new ExpanderReconciler(
      {
        claims: informers.informer(resources.persistentvolumeclaims).lister,
        volumes: informers.informer(resources.persistentvolumes).lister,
        classes: informers.informer(resources.storageclasses).lister,
      },
      client,
      events('volume_expand'),
      clock,
    ),
};
