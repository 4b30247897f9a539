import type { Metrics } from '@orrery/component';
import type { ControllerDefinition } from '@orrery/controller';

/**
 * Counts looks that were put off since a cache did not show yet what the controller wrote (k8s pkg/controller/job,
 * daemonset, replicaset, statefulset: metrics.go, StaleSyncSkips). Ours counts each wait once, not each try in it.
 */
export function createStaleSkips(
  metrics: Metrics,
  subsystem: string,
  kind: string,
): NonNullable<ControllerDefinition['onStale']> {
  const skips = metrics.counter({
    name: `${subsystem}_stale_sync_skips_total`,
    help: `Total number of ${kind} syncs skipped due to a stale watch cache.`,
    labels: ['group', 'resource'],
  });
  return ({ group, plural: resource }) => {
    skips.inc({ group, resource });
  };
}
