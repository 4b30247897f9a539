import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { EndpointSlice, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { allOrFirstFailure, defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { IndexFunction, Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { MANAGED_BY, MANAGER, SERVICE_NAME, planSlices } from './endpointslice.decide.js';
import { concernsEndpoints, isManaged, podsOf, servicesOf } from './service-pods.js';

const BY_SERVICE = 'service';

const serviceOf = (slice: EndpointSlice): string | undefined =>
  slice.metadata.labels?.[MANAGED_BY] === MANAGER ? slice.metadata.labels[SERVICE_NAME] : undefined;

const byService: IndexFunction<EndpointSlice> = (slice) => {
  const name = serviceOf(slice);
  return name ? [`${slice.metadata.namespace ?? ''}/${name}`] : [];
};

export interface EndpointCaches {
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly slices: Lister<EndpointSlice>;
}

/** Says in EndpointSlices which pods serve a Service. */
export class EndpointSliceReconciler implements Reconciler {
  constructor(
    private readonly caches: EndpointCaches,
    private readonly client: ResourceClient<EndpointSlice>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const service = this.caches.services.get(key);
    // The slices of a Service that is gone go with it, as what it owns.
    if (!service || !isManaged(service) || service.metadata.deletionTimestamp) return done;
    const existing = this.caches.slices
      .byIndex(BY_SERVICE, `${key.namespace ?? ''}/${key.name}`)
      .filter((slice) => !slice.metadata.deletionTimestamp);
    const plan = planSlices(service, podsOf(service, this.caches.pods), existing);
    await allOrFirstFailure([
      ...plan.create.map((slice) => this.client.create(slice)),
      ...plan.update.map((slice) => this.client.update(slice)),
      ...plan.remove.map((slice) => this.#remove(slice)),
    ]);
    return done;
  }

  async #remove(slice: EndpointSlice): Promise<void> {
    const { namespace = '', name = '' } = slice.metadata;
    try {
      await this.client.delete({ namespace, name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

export const endpointSliceController: ControllerEntry = {
  name: 'endpointslice-controller',
  definition({ informers }) {
    const services = informers.informer(resources.services).lister;
    return defineController('endpointslice-controller')
      .concurrency(5)
      .for(resources.services)
      .watches(resources.pods, (pod) => servicesOf(pod, services), { changed: concernsEndpoints })
      .watches(resources.endpointslices, (slice) => {
        const name = serviceOf(slice);
        return name ? [{ namespace: slice.metadata.namespace ?? '', name }] : [];
      })
      .build();
  },
  create({ client, informers }) {
    const slices = informers.informer(resources.endpointslices);
    slices.addIndex(BY_SERVICE, byService);
    return new EndpointSliceReconciler(
      {
        services: informers.informer(resources.services).lister,
        pods: podInformer(informers).lister,
        slices: slices.lister,
      },
      client.resource(resources.endpointslices),
    );
  },
};
