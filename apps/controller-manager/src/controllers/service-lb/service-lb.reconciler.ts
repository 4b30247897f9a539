import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController } from '@orrery/controller';
import { done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { AddressPool } from './address-pool.js';
import { planPool } from './service-lb.decide.js';
import type { Assignment } from './service-lb.decide.js';

const NAME = 'service-lb-controller';
/** One key for all: an address may be given once. */
const POOL: ObjectKey = { name: 'pool' };

/** Gives Services of type LoadBalancer an address of the pool. */
export class ServiceLbReconciler implements Reconciler {
  constructor(
    private readonly services: Lister<Service>,
    private readonly client: ResourceClient<Service>,
    private readonly pool: AddressPool,
    private readonly events: EventRecorder,
  ) {}

  async reconcile(): Promise<Result> {
    const { assign, refuse } = planPool(this.services.list(), this.pool);
    for (const { service, message } of refuse) {
      const text = `Error syncing load balancer: failed to ensure load balancer: ${message}`;
      this.events.event(service, 'Warning', 'SyncLoadBalancerFailed', text);
    }
    for (const assignment of assign) await this.#write(assignment);
    return done;
  }

  async #write({ service, ip }: Assignment): Promise<void> {
    if (ip) this.events.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    const loadBalancer = ip ? { ingress: [{ ip, ipMode: 'VIP' }] } : {};
    try {
      await this.client.updateStatus({ ...service, status: { ...service.status, loadBalancer } });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (ip) this.events.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
  }
}

export const serviceLbController: ControllerEntry = {
  name: NAME,
  enabled: ({ loadBalancerPool }) => loadBalancerPool.length > 0,
  definition: () =>
    defineController(NAME)
      .watches(resources.services, ({ spec, status }) =>
        spec?.type === 'LoadBalancer' || status?.loadBalancer?.ingress ? [POOL] : [],
      )
      .build(),
  create: ({ client, informers, events, options }) =>
    new ServiceLbReconciler(
      informers.informer(resources.services).lister,
      client.resource(resources.services),
      new AddressPool(options.loadBalancerPool),
      events('service-controller'),
    ),
};
