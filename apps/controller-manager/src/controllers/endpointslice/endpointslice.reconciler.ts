import { keyOf, toKeyString } from '@orrery/apimachinery';
import type { ObjectKey } from '@orrery/apimachinery';
import type { EndpointSlice, Node, Pod, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import { BY_NODE } from '@orrery/informers';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { MANAGER, planServiceSlices } from './endpointslice.decide.js';
import type { ServiceSlices } from './endpointslice.decide.js';
import { createSliceMeters } from './endpointslice.metrics.js';
import type { SliceMeters } from './endpointslice.metrics.js';
import { wantsTopologyHints, zoneShares } from './topology-hints.js';
import { concernsEndpoints, isManaged, podsOf, servicesOf } from './service-pods.js';
import { TriggerTimes, stamped } from './trigger-times.js';
import { BY_SERVICE, bySliceService, serviceOfSlice, writeSlices } from './slice-writer.js';

const ZONE = 'topology.kubernetes.io/zone';
const FAMILIES = ['IPv4', 'IPv6'] as const;

export interface EndpointCaches {
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly slices: Lister<EndpointSlice>;
  readonly nodes: Lister<Node>;
}

/** Says in EndpointSlices which pods serve a Service. */
export class EndpointSliceReconciler implements Reconciler {
  /** Services and families whose endpoints have hints by the shares of zones. */
  readonly #hinted = new Set<string>();
  readonly #times = new TriggerTimes();

  constructor(
    private readonly caches: EndpointCaches,
    private readonly client: ResourceClient<EndpointSlice>,
    private readonly events: EventRecorder,
    private readonly most: number,
    private readonly meters: SliceMeters,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    try {
      const result = await this.#sync(key);
      this.meters.synced('success');
      return result;
    } catch (error) {
      this.meters.synced('error');
      throw error;
    }
  }

  async #sync(key: ObjectKey): Promise<Result> {
    const service = this.caches.services.get(key);
    // The slices of a Service that is gone go with it, as what it owns.
    if (!service) {
      this.#times.forget(key);
      this.meters.forget(toKeyString(key));
    }
    if (!service || !isManaged(service) || service.metadata.deletionTimestamp) return done;
    const pods = podsOf(service, this.caches.pods);
    const time = this.#times.next(service, pods);
    const existing = this.caches.slices
      .byIndex(BY_SERVICE, `${MANAGER}:${key.namespace ?? ''}/${key.name}`)
      .filter((slice) => !slice.metadata.deletionTimestamp);
    const { plan, hints } = planServiceSlices({
      service,
      pods,
      existing,
      nodeOf: (name) => this.caches.nodes.get({ name }),
      zoneShares: () => zoneShares(this.caches.nodes.list()),
      most: this.most,
    });
    this.meters.planned(toKeyString(key), service, existing, plan);
    await writeSlices(this.client, plan, {
      finish: (slice) => stamped(slice, time),
      written: this.meters.written,
    });
    this.#tell(service, hints);
    return done;
  }

  /** k8s endpointslice/topologycache/event.go */
  #tell(service: Service, hints: ServiceSlices['hints']): void {
    const { namespace = '', name = '' } = service.metadata;
    for (const family of FAMILIES) {
      const said = hints.get(family);
      const key = `${namespace}/${name}/${family}`;
      const had = this.#hinted.has(key);
      if (said === 'given') this.#hinted.add(key);
      else this.#hinted.delete(key);
      const tell = (type: 'Normal' | 'Warning', reason: string, text: string): void => {
        this.events.event(service, type, reason, `${text}, addressType: ${family}`);
      };
      if (said === 'given' && !had)
        tell('Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled');
      else if (said && said !== 'given')
        tell('Warning', 'TopologyAwareHintsDisabled', said.refused);
      else if (!said && had)
        tell('Warning', 'TopologyAwareHintsDisabled', 'Topology Aware Hints has been disabled');
    }
  }
}

/** What of a node the shares of zones are counted by. */
const processorsOf = ({ metadata, status }: Node): string =>
  JSON.stringify([
    metadata.labels,
    status?.allocatable?.['cpu'],
    status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ]);

export const endpointSliceController: ControllerEntry = {
  name: 'endpointslice-controller',
  definition({ informers }) {
    const services = informers.informer(resources.services).lister;
    const pods = podInformer(informers).lister;
    const servicesOn = (node: string): ObjectKey[] =>
      pods.byIndex(BY_NODE, node).flatMap((pod) => servicesOf(pod, services));
    const hinted = (): ObjectKey[] => services.list().filter(wantsTopologyHints).map(keyOf);
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
      .watches(resources.nodes, () => hinted(), {
        changed: (node, old) => processorsOf(node) !== processorsOf(old),
      })
      .build();
  },
  create({ client, informers, events, options, metrics }) {
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
      events('endpoint-slice-controller'),
      options.maxEndpointsPerSlice,
      createSliceMeters(metrics, options.maxEndpointsPerSlice),
    );
  },
};
