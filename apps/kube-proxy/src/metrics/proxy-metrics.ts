import type { EndpointSlice } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { formatEndpointMetrics } from '@orrery/dataplane';
import type { RuleView } from '@orrery/dataplane';
import type { ProgrammingObserver } from '../programming/programmer.js';

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const exponential = (start: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * 2 ** i);

/** Upstream's metrics (k8s pkg/proxy/metrics/metrics.go), and what the dataplane saw of each endpoint. */
export class ProxyMetrics implements ProgrammingObserver {
  private readonly metrics = createMetrics({ process: true });
  private readonly syncs = this.metrics.histogram({
    name: 'kubeproxy_sync_proxy_rules_duration_seconds',
    help: 'SyncProxyRules latency in seconds',
    buckets: exponential(0.001, 15),
  });
  private readonly full = this.metrics.histogram({
    name: 'kubeproxy_sync_full_proxy_rules_duration_seconds',
    help: 'SyncProxyRules latency in seconds for full resyncs',
    buckets: exponential(0.001, 15),
  });
  private readonly partial = this.metrics.histogram({
    name: 'kubeproxy_sync_partial_proxy_rules_duration_seconds',
    help: 'SyncProxyRules latency in seconds for partial resyncs',
    buckets: exponential(0.001, 15),
  });
  private readonly lastSync = this.metrics.gauge({
    name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
    help: 'The last time proxy rules were successfully synced',
  });
  private readonly lastQueued = this.metrics.gauge({
    name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
    help: 'The last time a sync of proxy rules was queued',
  });
  private readonly network = this.metrics.histogram({
    name: 'kubeproxy_network_programming_duration_seconds',
    help: 'In Cluster Network Programming Latency in seconds',
    buckets: [0.25, 0.5, 1, 2, 3, 4, 5, 10, 20, 30, 60, 120, 300],
  });
  private readonly changes = {
    service: this.counter(
      'sync_proxy_rules_service_changes_total',
      'Cumulative proxy rules Service changes',
    ),
    endpoints: this.counter(
      'sync_proxy_rules_endpoint_changes_total',
      'Cumulative proxy rules Endpoint changes',
    ),
  };
  private readonly pending = {
    service: this.gauge(
      'sync_proxy_rules_service_changes_pending',
      'Pending proxy rules Service changes',
    ),
    endpoints: this.gauge(
      'sync_proxy_rules_endpoint_changes_pending',
      'Pending proxy rules Endpoint changes',
    ),
  };
  private readonly failures = this.counter(
    'sync_proxy_rules_iptables_restore_failures_total',
    'Cumulative proxy programming failures',
  );
  private readonly probes = {
    healthz: this.metrics.counter({
      name: 'kubeproxy_proxy_healthz_total',
      help: 'Cumulative proxy healthz HTTP status',
      labels: ['code'],
    }),
    livez: this.metrics.counter({
      name: 'kubeproxy_proxy_livez_total',
      help: 'Cumulative proxy livez HTTP status',
      labels: ['code'],
    }),
  };
  private readonly triggers = new Map<string, string>();
  private waiting: number[] = [];

  constructor(
    private readonly clock: Clock,
    /** What the dataplane holds of this node's rules. */
    private readonly view: () => Promise<readonly RuleView[]>,
  ) {}

  get contentType(): string {
    return this.metrics.contentType;
  }

  /** The text of /metrics; without the endpoints when the dataplane does not answer. */
  async text(): Promise<string> {
    const views = await this.view().catch((): readonly RuleView[] => []);
    return `${await this.metrics.text()}${formatEndpointMetrics(views)}`;
  }

  changed(kind: 'service' | 'endpoints', slices: readonly EndpointSlice[]): void {
    this.changes[kind].inc();
    this.pending[kind].inc();
    for (const { metadata } of slices) {
      const trigger = metadata.annotations?.[TRIGGER_TIME];
      const key = `${metadata.namespace}/${metadata.name}`;
      if (trigger === undefined || this.triggers.get(key) === trigger) continue;
      // The first sight of a slice tells of a change that another kube-proxy has programmed long ago.
      if (this.triggers.has(key)) this.waiting.push(Date.parse(trigger));
      this.triggers.set(key, trigger);
    }
  }

  queued(): void {
    this.lastQueued.set(this.clock.now() / 1_000);
  }

  programmed(seconds: number, isWhole: boolean): void {
    const now = this.clock.now();
    this.syncs.observe(seconds);
    (isWhole ? this.full : this.partial).observe(seconds);
    this.lastSync.set(now / 1_000);
    this.pending.service.set(0);
    this.pending.endpoints.set(0);
    for (const trigger of this.waiting) this.network.observe(Math.max(0, now - trigger) / 1_000);
    this.waiting = [];
  }

  failed(): void {
    this.failures.inc();
  }

  probed(probe: 'healthz' | 'livez', code: number): void {
    this.probes[probe].inc({ code: String(code) });
  }

  private counter(name: string, help: string) {
    return this.metrics.counter({ name: `kubeproxy_${name}`, help });
  }

  private gauge(name: string, help: string) {
    return this.metrics.gauge({ name: `kubeproxy_${name}`, help });
  }
}
