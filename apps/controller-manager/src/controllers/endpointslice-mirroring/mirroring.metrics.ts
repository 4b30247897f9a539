import type { Endpoints, EndpointSlice } from '@orrery/api';
import { deepEqual } from '@orrery/apimachinery';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { SliceCounts } from '../endpointslice/slice-counts.js';
import type { SlicePlan } from '../endpointslice/slice-packing.js';
import type { WriteOptions } from '../endpointslice/slice-writer.js';

const SUBSYSTEM = 'endpoint_slice_mirroring_controller';

/** What is counted when Endpoints have been looked at. */
export interface MirrorMeters {
  planned(key: string, existing: readonly EndpointSlice[], plan: SlicePlan): void;
  skipped(addresses: number): void;
  readonly written: WriteOptions['written'];
  took(seconds: number): void;
  forget(key: string): void;
}

/** Pure: addresses that are too many (k8s endpointslicemirroring/reconciler.go:addressesSkipped). */
export const addressesSkipped = ({ subsets = [] }: Endpoints, mostPerSubset: number): number =>
  subsets.reduce((sum, { addresses = [], notReadyAddresses = [] }) => {
    return sum + Math.max(addresses.length + notReadyAddresses.length - mostPerSubset, 0);
  }, 0);

/** Pure: endpoints that stay and say something else than before. */
export function updatedEndpoints(existing: readonly EndpointSlice[], plan: SlicePlan): number {
  const before = new Map(
    existing.flatMap(({ metadata, endpoints }) =>
      (endpoints ?? []).map((one) => [`${metadata.name}|${one.addresses[0]}`, one] as const),
    ),
  );
  return plan.update
    .flatMap(({ metadata, endpoints }) =>
      (endpoints ?? []).map((one) => [one, before.get(`${metadata.name}|${one.addresses[0]}`)]),
    )
    .filter(([now, was]) => was !== undefined && !deepEqual(now, was)).length;
}

/** k8s pkg/controller/endpointslicemirroring/metrics. `most` endpoints fit in a slice. */
export function createMirrorMeters(metrics: Metrics, most: number): MirrorMeters {
  const counts = new SliceCounts(metrics, { subsystem: SUBSYSTEM, most, of: 'Endpoints' });
  const updated = metrics.histogram({
    name: `${SUBSYSTEM}_endpoints_updated_per_sync`,
    help: 'Number of endpoints updated on each Endpoints sync',
    buckets: exponentialBuckets(2, 2, 15),
  });
  const skipped = metrics.histogram({
    name: `${SUBSYSTEM}_addresses_skipped_per_sync`,
    help: 'Number of addresses skipped on each Endpoints sync due to being invalid or exceeding MaxEndpointsPerSubset',
    buckets: exponentialBuckets(2, 2, 15),
  });
  const durations = metrics.histogram({
    name: `${SUBSYSTEM}_endpoints_sync_duration`,
    help: 'Duration of syncEndpoints() in seconds',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  return {
    planned(key, existing, plan) {
      counts.planned(key, existing, plan);
      updated.observe(updatedEndpoints(existing, plan));
    },
    skipped: (addresses) => {
      skipped.observe(addresses);
    },
    written: (operation) => {
      counts.written(operation);
    },
    took: (seconds) => {
      durations.observe(seconds);
    },
    forget: (key) => {
      counts.forget(key);
    },
  };
}
