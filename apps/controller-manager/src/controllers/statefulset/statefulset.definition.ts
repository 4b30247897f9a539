import type { KubeObject } from '@orrery/apimachinery';
import type { StatefulSet, StatefulSetStatus } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { Claimer, StatusWriter, defineController } from '@orrery/controller';
import { BY_OWNER, byOwner } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { createStaleSkips } from '../../stale-skips.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { StatefulPodControl } from './stateful-pod-control.js';
import { createStatefulMeters } from './statefulset.metrics.js';
import { StatefulSetReconciler } from './statefulset.reconciler.js';

export const statefulSetController: ControllerEntry = {
  name: 'statefulset-controller',
  definition: ({ informers, metrics }) =>
    defineController('statefulset-controller')
      .concurrency(5)
      .onStale(createStaleSkips(metrics, 'statefulset_controller', 'StatefulSet'))
      .for(resources.statefulsets)
      .owns(resources.pods, resources.statefulsets)
      .watches(
        resources.pods,
        adoptersOf(informers.informer(resources.statefulsets).lister, selectedBy),
        { changed: mattersToAdopters },
      )
      .owns(resources.controllerrevisions, resources.statefulsets)
      // Read, not followed: a claim's own changes mean nothing to a set.
      .watches(resources.persistentvolumeclaims, () => [])
      .build(),
  create({ client, informers, events, clock, metrics }) {
    const revisions = informers.informer(resources.controllerrevisions);
    revisions.addIndex(BY_OWNER, byOwner);
    const owners = client.resource<KubeObject>(resources.statefulsets as ResourceRef);
    return new StatefulSetReconciler(
      {
        sets: informers.informer(resources.statefulsets).lister,
        pods: podInformer(informers).lister,
        revisions: revisions.lister,
      },
      {
        podControl: new StatefulPodControl(
          client,
          informers.informer(resources.persistentvolumeclaims).lister,
          events('statefulset-controller'),
        ),
        claimer: new Claimer(client.resource(resources.pods), resources.statefulsets, owners),
        revisions: client.resource(resources.controllerrevisions),
        status: new StatusWriter<StatefulSetStatus, StatefulSet>(
          client.resource(resources.statefulsets),
        ),
      },
      clock,
      createStatefulMeters(metrics),
    );
  },
};
