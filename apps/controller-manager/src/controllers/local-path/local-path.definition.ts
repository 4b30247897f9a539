import { keyOf } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import { defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { classOf } from '../persistent-volume/match-volume.js';
import { LocalPathReconciler } from './local-path.reconciler.js';
import { PROVISIONER } from './local-path.decide.js';
import { HelperPods, OwnFolders, volumeOfHelper } from './volume-folders.js';

const NAME = 'local-path-provisioner';

export const localPathProvisioner: ControllerEntry = {
  name: NAME,
  definition({ informers }) {
    const claims = informers.informer(resources.persistentvolumeclaims).lister;
    return defineController(NAME)
      .concurrency(4)
      .for(resources.persistentvolumeclaims)
      .for(resources.persistentvolumes)
      .watches(resources.storageclasses, ({ metadata }) =>
        claims
          .list()
          .filter((claim) => classOf(claim) === metadata.name && !claim.spec?.volumeName)
          .map(keyOf),
      )
      .watches(resources.nodes, () => [], { changed: () => false })
      .watches(resources.pods, (pod) => {
        const volume = volumeOfHelper(pod);
        return volume ? [{ name: volume }] : [];
      })
      .build();
  },
  create({ client, informers, events, options }) {
    const { localPathDir, localPathHelperImage: image } = options.volumes;
    return new LocalPathReconciler(
      {
        claims: informers.informer(resources.persistentvolumeclaims).lister,
        volumes: informers.informer(resources.persistentvolumes).lister,
        classes: informers.informer(resources.storageclasses).lister,
        nodes: informers.informer(resources.nodes).lister,
      },
      {
        claims: client.resource(resources.persistentvolumeclaims),
        volumes: client.resource(resources.persistentvolumes),
        folders:
          image === ''
            ? new OwnFolders()
            : new HelperPods(client, podInformer(informers).lister, image),
      },
      events(PROVISIONER),
      localPathDir,
    );
  },
};
