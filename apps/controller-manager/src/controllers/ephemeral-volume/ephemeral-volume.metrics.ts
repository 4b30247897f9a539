import type { Metrics } from '@orrery/component';

/** Counts a request that makes a claim. */
export type ClaimRequest = <T>(request: () => Promise<T>) => Promise<T>;

const HELP = 'Number of PersistentVolumeClaim creation requests';

/** k8s pkg/controller/volume/ephemeral/metrics/metrics.go; one text of help for both there, too. */
export function createEphemeralMeters(metrics: Metrics): ClaimRequest {
  const attempts = metrics.counter({
    name: 'ephemeral_volume_controller_create_total',
    help: HELP,
  });
  const failures = metrics.counter({
    name: 'ephemeral_volume_controller_create_failures_total',
    help: HELP,
  });
  return async (request) => {
    attempts.inc();
    try {
      return await request();
    } catch (error) {
      failures.inc();
      throw error;
    }
  };
}
