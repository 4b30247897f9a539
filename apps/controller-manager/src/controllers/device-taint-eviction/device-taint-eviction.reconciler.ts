import type { ObjectKey } from '@orrery/apimachinery';
import { deepEqual, isNotFound, keyOf, toKeyString } from '@orrery/apimachinery';
import type { Pod, ResourceClaim, ResourceSlice } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock, Metrics } from '@orrery/component';
import { toTime } from '@orrery/component';
import { defineController, done, notOwnedBy, placeOfClaim } from '@orrery/controller';
import type { EventRecorder, Reconciler, Result } from '@orrery/controller';
import type { InformerFactory, Lister, SharedInformer } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { BY_CLAIM, claimIndexKey, podsByClaim } from '../../pods/pod-claims.js';
import { isTerminated } from '../../pods/pod-state.js';
import type { Departure } from './device-taint-eviction.decide.js';
import { departureOf, findDevice, poolKey, resultsOf } from './device-taint-eviction.decide.js';

const NAME = 'device-taint-eviction-controller';

/** Index of slices, and of claims, by the pools of their devices. */
const BY_POOL = 'device-pool';

const SUBSYSTEM = 'device_taint_eviction_controller';

/** k8s pkg/controller/devicetainteviction/metrics. */
function createMeters(metrics: Metrics): (seconds: number) => void {
  const deletions = metrics.counter({
    name: `${SUBSYSTEM}_pod_deletions_total`,
    help: 'Total number of Pods deleted by DeviceTaintEvictionController since its start.',
  });
  const latency = metrics.histogram({
    name: `${SUBSYSTEM}_pod_deletion_duration_seconds`,
    help: "Latency, in seconds, between the time when a device taint effect has been activated and a Pod's deletion via DeviceTaintEvictionController.",
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
  });
  return (seconds) => {
    deletions.inc();
    latency.observe(seconds);
  };
}

export interface DeviceTaintParts {
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceClaim>;
  readonly slices: Lister<ResourceSlice>;
  readonly client: ResourceClient<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Deletes pods whose devices have NoExecute taints that their requests do not tolerate, or no longer do. */
export class DeviceTaintReconciler implements Reconciler {
  /** Pods that will have to go, as far as this process knows: since when it knows. */
  readonly #marked = new Map<string, { readonly uid: string; readonly at: number }>();
  readonly #deleted: (seconds: number) => void;

  constructor(private readonly parts: DeviceTaintParts) {
    this.#deleted = createMeters(parts.metrics);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const pod = this.parts.pods.get(key);
    const now = this.parts.clock.now();
    const name = toKeyString(key);
    const known = this.#marked.get(name);
    const seenAt = known && known.uid === pod?.metadata.uid ? known.at : now;
    const departure = pod ? this.#departure(pod, seenAt) : 'never';
    if (!pod || departure === 'never') {
      if (pod && known && !pod.metadata.deletionTimestamp) this.#tell(pod, 'Cancelling deletion');
      this.#marked.delete(name);
      return done;
    }
    this.#marked.set(name, { uid: pod.metadata.uid ?? '', at: seenAt });
    if (departure > now) return { requeueAfterMs: departure - now };
    await this.#evict(key, pod);
    this.#marked.delete(name);
    this.#deleted(Math.max(0, (this.parts.clock.now() - departure) / 1000));
    return done;
  }

  #departure(pod: Pod, seenAt: number): Departure {
    if (!pod.spec.nodeName || pod.metadata.deletionTimestamp || isTerminated(pod)) return 'never';
    const departures = this.#claimsOf(pod)
      .flatMap(resultsOf)
      .map((result) => {
        const slices = this.parts.slices.byIndex(BY_POOL, poolKey(result));
        const device = findDevice(slices, result.device);
        return device ? departureOf(result, device, seenAt) : 'never';
      })
      .filter((each) => each !== 'never');
    return departures.length === 0 ? 'never' : Math.min(...departures);
  }

  #claimsOf(pod: Pod): ResourceClaim[] {
    return (pod.spec.resourceClaims ?? []).flatMap((entry) => {
      const place = placeOfClaim(pod, entry);
      if (place.kind !== 'named') return [];
      const claim = this.parts.claims.get({ ...keyOf(pod), name: place.name });
      return claim && !(place.generated && notOwnedBy(pod, claim)) ? [claim] : [];
    });
  }

  #tell(pod: Pod, text: string): void {
    this.parts.events.event(pod, 'Normal', 'DeviceTaintManagerEviction', text);
  }

  async #evict(key: ObjectKey, pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    this.#tell(pod, 'Marking for deletion');
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByDeviceTaintManager',
      message: 'Device Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: toTime(this.parts.clock.now()),
    };
    const { client } = this.parts;
    try {
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await client.patch(key, 'strategic', patch, { subresource: 'status' });
      await client.delete(key, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function claimsByPool(informers: InformerFactory): SharedInformer<ResourceClaim> {
  const informer = informers.informer(resources.resourceclaims);
  informer.addIndex(BY_POOL, (claim) => [...new Set(resultsOf(claim).map(poolKey))]);
  return informer;
}

function slicesByPool(informers: InformerFactory): SharedInformer<ResourceSlice> {
  const informer = informers.informer(resources.resourceslices);
  informer.addIndex(BY_POOL, ({ spec }) => [
    poolKey({ driver: spec.driver, pool: spec.pool.name }),
  ]);
  return informer;
}

export const deviceTaintEvictionController: ControllerEntry = {
  name: NAME,
  definition({ informers }) {
    const pods = podsByClaim(informers).lister;
    const claims = claimsByPool(informers).lister;
    const users = (claim: ResourceClaim): ObjectKey[] =>
      pods.byIndex(BY_CLAIM, claimIndexKey(keyOf(claim))).map(keyOf);
    return defineController(NAME)
      .concurrency(10)
      .watches(
        resources.pods,
        (pod) => ((pod.spec.resourceClaims ?? []).length > 0 ? [keyOf(pod)] : []),
        {
          changed: (pod, old) =>
            pod.spec.nodeName !== old.spec.nodeName ||
            pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
            !deepEqual(pod.status?.resourceClaimStatuses, old.status?.resourceClaimStatuses),
        },
      )
      .watches(resources.resourceclaims, users, {
        changed: (claim, old) => !deepEqual(claim.status?.allocation, old.status?.allocation),
        mayBeAbsent: true,
      })
      .watches(
        resources.resourceslices,
        ({ spec }) =>
          claims
            .byIndex(BY_POOL, poolKey({ driver: spec.driver, pool: spec.pool.name }))
            .flatMap(users),
        { mayBeAbsent: true },
      )
      .build();
  },
  create: ({ client, informers, events, clock, metrics }) =>
    new DeviceTaintReconciler({
      pods: podsByClaim(informers).lister,
      claims: claimsByPool(informers).lister,
      slices: slicesByPool(informers).lister,
      client: client.resource(resources.pods),
      events: events('device-taint-eviction'),
      clock,
      metrics,
    }),
};
