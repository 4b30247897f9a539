import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Endpoints, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { concernsEndpoints, isManaged, podsOf, servicesOf } from '../endpointslice/service-pods.js';
import { TriggerTimes, stamped } from '../endpointslice/trigger-times.js';
import { endpointsAnnotations, endpointsLabels, subsetsOf } from './endpoints.decide.js';

export interface EndpointsCaches {
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly endpoints: Lister<Endpoints>;
}

/** Says in Endpoints, the older form, which pods serve a Service. */
export class EndpointsReconciler implements Reconciler {
  readonly #times = new TriggerTimes();

  constructor(
    private readonly caches: EndpointsCaches,
    private readonly client: ResourceClient<Endpoints>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const service = this.caches.services.get(key);
    const current = this.caches.endpoints.get(key);
    if (!service) {
      this.#times.forget(key);
      if (current) await this.#remove(key);
      return done;
    }
    if (!isManaged(service)) return done;
    const pods = podsOf(service, this.caches.pods);
    const time = this.#times.next(service, pods);
    const { subsets, truncated } = subsetsOf(service, pods);
    const labels = endpointsLabels(service);
    const before = current?.metadata.annotations;
    const annotations = endpointsAnnotations(before, truncated);
    if (!current)
      await this.client.create(
        stamped({ metadata: { ...key, labels, annotations }, subsets }, time),
      );
    else if (
      !isDeepStrictEqual(current.subsets ?? [], subsets) ||
      !isDeepStrictEqual(current.metadata.labels, labels) ||
      !isDeepStrictEqual(before ?? {}, annotations)
    ) {
      const metadata = { ...current.metadata, labels, annotations };
      await this.client.update(stamped({ ...current, metadata, subsets }, time));
    }
    return done;
  }

  async #remove(key: ObjectKey): Promise<void> {
    try {
      await this.client.delete(key);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';

export const endpointsController: ControllerEntry = {
  name: 'endpoints-controller',
  definition({ informers }) {
    const services = informers.informer(resources.services).lister;
    return defineController('endpoints-controller')
      .concurrency(5)
      .for(resources.services)
      .watches(resources.pods, (pod) => servicesOf(pod, services), { changed: concernsEndpoints })
      .watches(resources.endpoints, ({ metadata: { namespace = '', name = '', labels } }) =>
        labels?.[MANAGED_BY] ? [{ namespace, name }] : [],
      )
      .build();
  },
  create: ({ client, informers }) =>
    new EndpointsReconciler(
      {
        services: informers.informer(resources.services).lister,
        pods: podInformer(informers).lister,
        endpoints: informers.informer(resources.endpoints).lister,
      },
      client.resource(resources.endpoints),
    ),
};
