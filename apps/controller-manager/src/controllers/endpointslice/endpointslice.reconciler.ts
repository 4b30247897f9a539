import type { ObjectKey } from '@orrery/apimachinery';
import type { EndpointSlice, Node, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import { BY_NODE } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { MANAGER, planSlices } from './endpointslice.decide.js';
import { concernsEndpoints, isManaged, podsOf, servicesOf } from './service-pods.js';
import { BY_SERVICE, bySliceService, serviceOfSlice, writeSlices } from './slice-writer.js';

const ZONE = 'topology.kubernetes.io/zone';

export interface EndpointCaches {
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly slices: Lister<EndpointSlice>;
  readonly nodes: Lister<Node>;
}

/** Says in EndpointSlices which pods serve a Service. */
export class EndpointSliceReconciler implements Reconciler {
  constructor(
    private readonly caches: EndpointCaches,
    private readonly client: ResourceClient<EndpointSlice>,
    private readonly most: number,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const service = this.caches.services.get(key);
    // The slices of a Service that is gone go with it, as what it owns.
    if (!service || !isManaged(service) || service.metadata.deletionTimestamp) return done;
    const existing = this.caches.slices
      .byIndex(BY_SERVICE, `${MANAGER}:${key.namespace ?? ''}/${key.name}`)
      .filter((slice) => !slice.metadata.deletionTimestamp);
    const plan = planSlices({
      service,
      pods: podsOf(service, this.caches.pods),
      existing,
      nodeOf: (name) => this.caches.nodes.get({ name }),
      most: this.most,
    });
    await writeSlices(this.client, plan);
    return done;
  }
}

export const endpointSliceController: ControllerEntry = {
  name: 'endpointslice-controller',
  definition({ informers }) {
    const services = informers.informer(resources.services).lister;
    const pods = podInformer(informers).lister;
    const servicesOn = (node: string): ObjectKey[] =>
      pods.byIndex(BY_NODE, node).flatMap((pod) => servicesOf(pod, services));
    return defineController('endpointslice-controller')
      .concurrency(5)
      .for(resources.services)
      .watches(resources.pods, (pod) => servicesOf(pod, services), { changed: concernsEndpoints })
      .watches(resources.endpointslices, (slice) => {
        const name = serviceOfSlice(slice, MANAGER);
        return name ? [{ namespace: slice.metadata.namespace ?? '', name }] : [];
      })
      .watches(resources.nodes, (node) => servicesOn(node.metadata.name ?? ''), {
        changed: (node, old) => node.metadata.labels?.[ZONE] !== old.metadata.labels?.[ZONE],
      })
      .build();
  },
  create({ client, informers, options }) {
    const slices = informers.informer(resources.endpointslices);
    slices.addIndex(BY_SERVICE, bySliceService);
    return new EndpointSliceReconciler(
      {
        services: informers.informer(resources.services).lister,
        pods: podInformer(informers).lister,
        slices: slices.lister,
        nodes: informers.informer(resources.nodes).lister,
      },
      client.resource(resources.endpointslices),
      options.maxEndpointsPerSlice,
    );
  },
};
