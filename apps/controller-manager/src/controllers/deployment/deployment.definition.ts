import type { KubeObject } from '@orrery/apimachinery';
import type { Deployment, DeploymentStatus, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { Claimer, StatusWriter, defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { DeploymentReconciler } from './deployment.reconciler.js';

/** Recreate waits for the last old pod: its ReplicaSet is named like the Deployment, but for the hash. */
const ownerOfReplicaSetOf = (pod: Pod) => {
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller && o.kind === 'ReplicaSet');
  const cut = owner?.name.lastIndexOf('-') ?? -1;
  if (!owner || cut < 1 || !pod.metadata.deletionTimestamp) return [];
  return [{ namespace: pod.metadata.namespace ?? '', name: owner.name.slice(0, cut) }];
};

export const deploymentController: ControllerEntry = {
  name: 'deployment-controller',
  definition: ({ informers }) =>
    defineController('deployment-controller')
      .concurrency(5)
      .for(resources.deployments)
      .owns(resources.replicasets, resources.deployments)
      .watches(
        resources.replicasets,
        adoptersOf(informers.informer(resources.deployments).lister, selectedBy),
        { changed: mattersToAdopters },
      )
      .watches(resources.pods, ownerOfReplicaSetOf, { changed: () => false })
      .build(),
  create({ client, informers, events, clock }) {
    const deployments = client.resource(resources.deployments);
    const replicaSets = client.resource(resources.replicasets);
    return new DeploymentReconciler(
      {
        deployments: informers.informer(resources.deployments).lister,
        replicaSets: informers.informer(resources.replicasets).lister,
        pods: podInformer(informers).lister,
      },
      {
        replicaSets,
        claimer: new Claimer(
          replicaSets,
          resources.deployments,
          client.resource<KubeObject>(resources.deployments as ResourceRef),
        ),
        status: new StatusWriter<DeploymentStatus, Deployment>(deployments),
      },
      events('deployment-controller'),
      clock,
    );
  },
};
