import type { EndpointSlice, Service } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import { SliceCounts } from './slice-counts.js';
import type { SlicePlan } from './slice-packing.js';
import type { WriteOptions } from './slice-writer.js';
import { wantsTopologyHints } from './topology-hints.js';

const SUBSYSTEM = 'endpoint_slice_controller';
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

/** What is counted when the slices of a Service have been looked at. */
export interface SliceMeters {
  planned(key: string, service: Service, existing: readonly EndpointSlice[], plan: SlicePlan): void;
  readonly written: WriteOptions['written'];
  synced(result: 'success' | 'stale' | 'error'): void;
  forget(key: string): void;
}

/** Pure: the label of a wish where traffic goes; others than the known ones share one. */
export function distributionOf({ spec }: Service): string | undefined {
  const wish = spec?.trafficDistribution;
  if (wish === undefined) return undefined;
  return DISTRIBUTIONS.includes(wish) ? wish : 'ImplementationSpecific';
}

/** k8s staging/src/k8s.io/endpointslice/metrics. `most` endpoints fit in a slice. */
export function createSliceMeters(metrics: Metrics, most: number): SliceMeters {
  const counts = new SliceCounts(metrics, { subsystem: SUBSYSTEM, most, of: 'Service' });
  const wishes = new Map<string, string>();
  metrics.gauge({
    name: `${SUBSYSTEM}_services_count_by_traffic_distribution`,
    help: 'Number of Services using some specific trafficDistribution',
    labels: ['traffic_distribution'],
    collect: (gauge) => {
      gauge.reset();
      for (const traffic_distribution of wishes.values()) gauge.inc({ traffic_distribution });
    },
  });
  const changed = metrics.histogram({
    name: `${SUBSYSTEM}_endpointslices_changed_per_sync`,
    help: 'Number of EndpointSlices changed on each Service sync',
    labels: ['topology', 'traffic_distribution'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const syncs = metrics.counter({
    name: `${SUBSYSTEM}_syncs`,
    help: 'Number of EndpointSlice syncs',
    labels: ['result'],
  });
  return {
    planned(key, service, existing, plan) {
      counts.planned(key, existing, plan);
      const wish = distributionOf(service);
      if (wish === undefined) wishes.delete(key);
      else wishes.set(key, wish);
      const topology = wantsTopologyHints(service) ? 'Auto' : 'Disabled';
      const changes = plan.create.length + plan.update.length + plan.remove.length;
      changed.observe({ topology, traffic_distribution: wish ?? '' }, changes);
    },
    written: (operation) => {
      counts.written(operation);
    },
    synced: (result) => {
      syncs.inc({ result });
    },
    forget: (key) => {
      counts.forget(key);
      wishes.delete(key);
    },
  };
}
