import type { Metrics } from '@orrery/component';

/** k8s pkg/volume/util/metrics.go:storageOperationMetric. */
const OPERATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];

/** Work on volumes (k8s pkg/volume/util/metrics.go and pkg/kubelet/metrics/metrics.go, v1.36). Durations in seconds. */
export const volumeMetrics = (metrics: Metrics) => ({
  operations: metrics.histogram({
    name: 'storage_operation_duration_seconds',
    help: 'Storage operation duration',
    labels: ['volume_plugin', 'operation_name', 'status', 'migrated'],
    buckets: OPERATION_BUCKETS,
  }),
  collection: metrics.histogram({
    name: 'kubelet_volume_metric_collection_duration_seconds',
    help: 'Duration in seconds to calculate volume stats',
    labels: ['metric_source'],
  }),
  orphansCleaned: metrics.gauge({
    name: 'kubelet_orphan_pod_cleaned_volumes',
    help: 'The total number of orphaned Pods whose volumes were cleaned in the last periodic sweep.',
  }),
  orphansFailed: metrics.gauge({
    name: 'kubelet_orphan_pod_cleaned_volumes_errors',
    help: 'The number of orphaned Pods whose volumes failed to be cleaned in the last periodic sweep.',
  }),
});

export type VolumeMetrics = ReturnType<typeof volumeMetrics>;
