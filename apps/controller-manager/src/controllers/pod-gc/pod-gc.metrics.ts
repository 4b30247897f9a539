import type { Metrics } from '@orrery/component';

/** Why a pod is taken away, as the label `reason` says it. */
export type DeletionReason = 'terminated' | 'out-of-service' | 'orphaned' | 'unscheduled';

/** Counts the deletion of a pod of a namespace. */
export type PodDeletion = (
  namespace: string,
  reason: DeletionReason,
  remove: () => Promise<void>,
) => Promise<void>;

/** k8s pkg/controller/podgc/metrics/metrics.go. */
export function createPodGcMeters(metrics: Metrics): PodDeletion {
  const labels = ['namespace', 'reason'] as const;
  const deletions = metrics.counter({
    name: 'pod_gc_collector_force_delete_pods_total',
    help: 'Number of pods that are being forcefully deleted since the Pod GC Controller started.',
    labels,
  });
  const failures = metrics.counter({
    name: 'pod_gc_collector_force_delete_pod_errors_total',
    help: 'Number of errors encountered when forcefully deleting the pods since the Pod GC Controller started.',
    labels,
  });
  return async (namespace, reason, remove) => {
    deletions.inc({ namespace, reason });
    try {
      await remove();
    } catch (error) {
      failures.inc({ namespace, reason });
      throw error;
    }
  };
}
