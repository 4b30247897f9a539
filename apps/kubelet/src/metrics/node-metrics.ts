import type { Metrics } from '@orrery/component';

const startup = (metrics: Metrics, part: string, help: string) =>
  metrics.gauge({
    name: `kubelet_node_startup_${part}duration_seconds`,
    help: `Duration in seconds of node startup ${help}.`,
  });

/** The node itself: its start, its need, its end (k8s pkg/kubelet/metrics/metrics.go, v1.36). */
export const nodeMetrics = (metrics: Metrics) => ({
  startup: {
    preKubelet: startup(metrics, 'pre_kubelet_', 'before kubelet starts'),
    preRegistration: startup(metrics, 'pre_registration_', 'before registration'),
    registration: startup(metrics, 'registration_', 'during registration'),
    postRegistration: startup(metrics, 'post_registration_', 'after registration'),
    total: startup(metrics, '', 'in total'),
  },
  evictions: metrics.counter({
    name: 'kubelet_evictions',
    help: 'Cumulative number of pod evictions by eviction signal',
    labels: ['eviction_signal'],
  }),
  evictionStatsAge: metrics.histogram({
    name: 'kubelet_eviction_stats_age_seconds',
    help: 'Time between when stats are collected, and when pod is evicted based on those stats by eviction signal',
    labels: ['eviction_signal'],
  }),
  shutdown: {
    /** Seconds since the epoch, as the next. */
    start: metrics.gauge({
      name: 'kubelet_graceful_shutdown_start_time_seconds',
      help: 'Last graceful shutdown start time since unix epoch in seconds',
    }),
    end: metrics.gauge({
      name: 'kubelet_graceful_shutdown_end_time_seconds',
      help: 'Last graceful shutdown end time since unix epoch in seconds',
    }),
  },
});

export type NodeMetrics = ReturnType<typeof nodeMetrics>;
