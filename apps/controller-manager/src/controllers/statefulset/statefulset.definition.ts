import type { KubeObject } from '@orrery/apimachinery';
import type { StatefulSet, StatefulSetStatus } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { Claimer, StatusWriter, defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { createStaleSkips } from '../../stale-skips.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { RevisionHistory } from '../../revisions/revision-history.js';
import { StatefulPodControl } from './stateful-pod-control.js';
import { createStatefulMeters } from './statefulset.metrics.js';
import { StatefulSetReconciler } from './statefulset.reconciler.js';

/** k8s pkg/controller/history/controller_history.go:ControllerRevisionHashLabel; its pods are labelled with the revision's name. */
const HASH_LABEL = 'controller.kubernetes.io/hash';

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
      // Read, not followed: what becomes of a revision or a claim is seen when its set is looked at next.
      .watches(resources.controllerrevisions, () => [])
      .watches(resources.persistentvolumeclaims, () => [])
      .build(),
  create({ client, informers, events, clock, metrics }) {
    const owners = client.resource<KubeObject>(resources.statefulsets as ResourceRef);
    return new StatefulSetReconciler(
      {
        sets: informers.informer(resources.statefulsets).lister,
        pods: podInformer(informers).lister,
      },
      {
        podControl: new StatefulPodControl(
          client,
          informers.informer(resources.persistentvolumeclaims).lister,
          events('statefulset-controller'),
        ),
        claimer: new Claimer(client.resource(resources.pods), resources.statefulsets, owners),
        revisions: new RevisionHistory(client, informers, resources.statefulsets, HASH_LABEL),
        status: new StatusWriter<StatefulSetStatus, StatefulSet>(
          client.resource(resources.statefulsets),
        ),
      },
      clock,
      createStatefulMeters(metrics),
    );
  },
};
