import { toKeyString } from '@orrery/apimachinery';
import type { ObjectKey } from '@orrery/apimachinery';
import type { Endpoints, EndpointSlice, Service } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import {
  BY_SERVICE,
  bySliceService,
  serviceOfSlice,
  writeSlices,
} from '../endpointslice/slice-writer.js';
import { addressesSkipped, createMirrorMeters } from './mirroring.metrics.js';
import type { MirrorMeters } from './mirroring.metrics.js';
import { MIRROR, MOST, isMirrored, planMirror } from './mirroring.decide.js';

const NAME = 'endpointslice-mirroring-controller';

export interface MirroringCaches {
  readonly endpoints: Lister<Endpoints>;
  readonly services: Lister<Service>;
  readonly slices: Lister<EndpointSlice>;
}

/** Shows in slices what users write into Endpoints of Services without a selector. */
export class MirroringReconciler implements Reconciler {
  constructor(
    private readonly caches: MirroringCaches,
    private readonly client: ResourceClient<EndpointSlice>,
    private readonly mostPerSubset: number,
    private readonly meters: MirrorMeters,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const begun = this.clock.monotonic();
    try {
      return await this.#sync(key);
    } finally {
      this.meters.took((this.clock.monotonic() - begun) / 1000);
    }
  }

  async #sync(key: ObjectKey): Promise<Result> {
    const endpoints = this.caches.endpoints.get(key);
    const existing = this.caches.slices
      .byIndex(BY_SERVICE, `${MIRROR}:${key.namespace ?? ''}/${key.name}`)
      .filter((slice) => !slice.metadata.deletionTimestamp);
    const mirrored = endpoints && isMirrored(endpoints, this.caches.services.get(key));
    const plan = mirrored
      ? planMirror(endpoints, existing, this.mostPerSubset)
      : { create: [], update: [], remove: existing };
    if (mirrored) {
      this.meters.skipped(addressesSkipped(endpoints, this.mostPerSubset));
      this.meters.planned(toKeyString(key), existing, plan);
    } else this.meters.forget(toKeyString(key));
    await writeSlices(this.client, plan, { written: this.meters.written });
    return done;
  }
}

export const mirroringController: ControllerEntry = {
  name: NAME,
  definition: () =>
    defineController(NAME)
      .concurrency(5)
      .for(resources.endpoints)
      .for(resources.services)
      .watches(resources.endpointslices, (slice) => {
        const name = serviceOfSlice(slice, MIRROR);
        return name ? [{ namespace: slice.metadata.namespace ?? '', name }] : [];
      })
      .build(),
  create({ client, informers, options, metrics, clock }) {
    const slices = informers.informer(resources.endpointslices);
    slices.addIndex(BY_SERVICE, bySliceService);
    return new MirroringReconciler(
      {
        endpoints: informers.informer(resources.endpoints).lister,
        services: informers.informer(resources.services).lister,
        slices: slices.lister,
      },
      client.resource(resources.endpointslices),
      options.mirroringMaxEndpointsPerSubset,
      createMirrorMeters(metrics, MOST),
      clock,
    );
  },
};
