import type { KubeObject } from '@orrery/apimachinery';
import { labelMapMatcher } from '@orrery/apimachinery';
import type { ReplicaSetStatus, ReplicationController } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import {
  Claimer,
  PodControl,
  StatusWriter,
  defineController,
  toControllerRef,
} from '@orrery/controller';
import { BY_OWNER, byOwner } from '@orrery/informers';
import type { LabelMatcher } from '@orrery/informers';
import type { ControllerContext, ControllerEntry } from '../../controller-entry.js';
import { ServerVersion, TERMINATING_SINCE } from '../../discovery/server-version.js';
import { createStaleSkips } from '../../stale-skips.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { mattersToReplicas } from '../../pods/pod-state.js';
import type { ReplicaOwner } from './replicaset.decide.js';
import { createReplicaSetMeters } from './replicaset.metrics.js';
import { ReplicaSetReconciler } from './replicaset.reconciler.js';

type Matching<T> = (owner: T) => LabelMatcher | undefined;

const controllerMatcher: Matching<ReplicationController> = (rc) => {
  const selector = rc.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return undefined;
  const matcher = labelMapMatcher(selector);
  return (labels) => matcher.matches(labels);
};

function create<T extends ReplicaOwner & KubeObject>(
  ref: ResourceRef<T>,
  matcherOf: Matching<T>,
  context: ControllerContext,
  component: string,
): ReplicaSetReconciler<T> {
  const { client, informers, clock } = context;
  const owners = informers.informer(ref);
  owners.addIndex(BY_OWNER, byOwner);
  const ownerClient = client.resource<T>(ref);
  const podClient = client.resource(resources.pods);
  const version = new ServerVersion(client);
  const isReplicaSet = ref.kind === 'ReplicaSet';
  return new ReplicaSetReconciler<T>(
    {
      owners: owners.lister,
      hasSiblings: isReplicaSet,
      countsTerminating: async () => isReplicaSet && (await version.isAtLeast(TERMINATING_SINCE)),
      matcherOf,
      controllerRef: (owner) => toControllerRef(ref, owner),
    },
    podInformer(informers).lister,
    {
      podControl: new PodControl(client, context.events(component)),
      claimer: new Claimer(podClient, ref, client.resource<KubeObject>(ref as ResourceRef)),
      chosen: createReplicaSetMeters(context.metrics),
    },
    new StatusWriter<ReplicaSetStatus, T>(ownerClient),
    clock,
  );
}

export const replicaSetController: ControllerEntry = {
  name: 'replicaset-controller',
  definition: ({ informers, metrics }) =>
    defineController('replicaset-controller')
      .concurrency(5)
      .onStale(createStaleSkips(metrics, 'replicaset_controller', 'ReplicaSet'))
      .for(resources.replicasets)
      .owns(resources.pods, resources.replicasets, { changed: mattersToReplicas })
      .watches(
        resources.pods,
        adoptersOf(informers.informer(resources.replicasets).lister, selectedBy),
        { changed: mattersToAdopters },
      )
      .build(),
  create: (context) => create(resources.replicasets, selectedBy, context, 'replicaset-controller'),
};

export const replicationController: ControllerEntry = {
  name: 'replicationcontroller-controller',
  definition: ({ informers }) =>
    defineController('replicationcontroller-controller')
      .concurrency(5)
      .for(resources.replicationcontrollers)
      .owns(resources.pods, resources.replicationcontrollers, { changed: mattersToReplicas })
      .watches(
        resources.pods,
        adoptersOf(informers.informer(resources.replicationcontrollers).lister, controllerMatcher),
        { changed: mattersToAdopters },
      )
      .build(),
  create: (context) =>
    create(resources.replicationcontrollers, controllerMatcher, context, 'replication-controller'),
};
