import type { Metrics } from '@orrery/component';

/** Counts a failure of the discovery of what there is to collect. */
export type SyncFailed = () => void;

/** k8s pkg/controller/garbagecollector/metrics/metrics.go. */
export function createGarbageMeters(metrics: Metrics): SyncFailed {
  const errors = metrics.counter({
    name: 'garbagecollector_controller_resources_sync_error_total',
    help: 'Number of garbage collector resources sync errors',
  });
  return () => {
    errors.inc();
  };
}
