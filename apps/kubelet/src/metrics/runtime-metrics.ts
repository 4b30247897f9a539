import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';

/** Calls of the container runtime, and what the kubelet learns from it (k8s pkg/kubelet/metrics/metrics.go, v1.36). */
export const runtimeMetrics = (metrics: Metrics) => ({
  operations: metrics.counter({
    name: 'kubelet_runtime_operations_total',
    help: 'Cumulative number of runtime operations by operation type.',
    labels: ['operation_type'],
  }),
  operationDuration: metrics.histogram({
    name: 'kubelet_runtime_operations_duration_seconds',
    help: 'Duration in seconds of runtime operations. Broken down by operation type.',
    labels: ['operation_type'],
    buckets: exponentialBuckets(0.005, 2.5, 14),
  }),
  operationErrors: metrics.counter({
    name: 'kubelet_runtime_operations_errors_total',
    help: 'Cumulative number of runtime operation errors by operation type.',
    labels: ['operation_type'],
  }),
  runSandboxDuration: metrics.histogram({
    name: 'kubelet_run_podsandbox_duration_seconds',
    help: 'Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.',
    labels: ['runtime_handler'],
  }),
  runSandboxErrors: metrics.counter({
    name: 'kubelet_run_podsandbox_errors_total',
    help: 'Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.',
    labels: ['runtime_handler'],
  }),
  relistDuration: metrics.histogram({
    name: 'kubelet_pleg_relist_duration_seconds',
    help: 'Duration in seconds for relisting pods in PLEG.',
  }),
  relistInterval: metrics.histogram({
    name: 'kubelet_pleg_relist_interval_seconds',
    help: 'Interval in seconds between relisting in PLEG.',
  }),
  lastSeen: metrics.gauge({
    name: 'kubelet_pleg_last_seen_seconds',
    help: 'Timestamp in seconds when PLEG was last seen active.',
  }),
  streams: metrics.counter({
    name: 'kubelet_evented_pleg_connection_success_count',
    help: 'The number of times a streaming client was obtained to receive CRI Events.',
  }),
  streamErrors: metrics.counter({
    name: 'kubelet_evented_pleg_connection_error_count',
    help: 'The number of errors encountered during the establishment of streaming connection with the CRI runtime.',
  }),
});

export type RuntimeMetrics = ReturnType<typeof runtimeMetrics>;
