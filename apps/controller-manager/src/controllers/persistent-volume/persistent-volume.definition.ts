import type { ObjectKey } from '@orrery/apimachinery';
import { keyOf } from '@orrery/apimachinery';
import type { PersistentVolume, StorageClass } from '@orrery/api';
import { resources } from '@orrery/api';
import { defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { Binding } from './binding.js';
import { classOf } from './match-volume.js';
import { createVolumeMeters } from './persistent-volume.metrics.js';
import { recycledBy } from './recycler-pod.js';
import { Recycler } from './recycler.js';
import { PersistentVolumeReconciler } from './persistent-volume.reconciler.js';

const NAME = 'persistentvolume-binder-controller';

export const persistentVolumeController: ControllerEntry = {
  name: NAME,
  definition({ informers }) {
    const claims = informers.informer(resources.persistentvolumeclaims).lister;
    const waiting = (className: string | undefined): ObjectKey[] =>
      claims
        .list()
        .filter((claim) => claim.status?.phase !== 'Bound')
        .filter((claim) => className === undefined || classOf(claim) === className)
        .map(keyOf);
    const ofVolume = (volume: PersistentVolume): ObjectKey[] => {
      const { namespace, name } = volume.spec?.claimRef ?? {};
      const kept = namespace && name ? [{ namespace, name }] : waiting(classOf(volume));
      return [keyOf(volume), ...kept];
    };
    return defineController(NAME)
      .for(resources.persistentvolumeclaims)
      .watches(resources.persistentvolumeclaims, ({ spec }) =>
        spec?.volumeName ? [{ name: spec.volumeName }] : [],
      )
      .watches(resources.persistentvolumeclaims, ({ metadata: { uid } }) => {
        const volumes = informers.informer(resources.persistentvolumes).lister.list();
        return volumes.filter((volume) => volume.spec?.claimRef?.uid === uid).map(keyOf);
      })
      .watches(resources.persistentvolumes, ofVolume)
      .watches(resources.pods, recycledBy, {
        changed: (now, old) => now.status?.phase !== old.status?.phase,
      })
      .watches(resources.storageclasses, ({ metadata }: StorageClass) => [
        ...waiting(metadata.name),
        ...waiting(''),
      ])
      .build();
  },
  create({ client, informers, events, options, metrics }) {
    const claims = client.resource(resources.persistentvolumeclaims);
    const volumes = client.resource(resources.persistentvolumes);
    const cached = {
      claims: informers.informer(resources.persistentvolumeclaims).lister,
      volumes: informers.informer(resources.persistentvolumes).lister,
    };
    return new PersistentVolumeReconciler(
      {
        ...cached,
        classes: informers.informer(resources.storageclasses).lister,
        pods: podInformer(informers).lister,
      },
      {
        claims,
        volumes,
        binding: new Binding(volumes, claims),
        recycler: new Recycler(podInformer(informers).lister, client.resource(resources.pods)),
      },
      events('persistentvolume-controller'),
      options.volumes.provisioning,
      createVolumeMeters(metrics, cached.volumes, cached.claims),
    );
  },
};
