import type { EndpointSlice } from '@orrery/api';
import { createMetrics, exponentialBuckets, measureFeatures } from '@orrery/component';
import type { Clock, Metrics } from '@orrery/component';
import { formatEndpointMetrics } from '@orrery/dataplane';
import type { RuleView } from '@orrery/dataplane';
import type { ProgrammingObserver } from '../programming/programmer.js';

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const linear = (start: number, step: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start + step * i);

/** k8s pkg/proxy/metrics/metrics.go:NetworkProgrammingLatency; Go's merge puts a zero before them. */
const PROGRAMMING_BUCKETS = [
  0,
  ...linear(0.25, 0.25, 2),
  ...linear(1, 1, 59),
  ...linear(60, 5, 12),
  ...linear(120, 30, 7),
];

export type Family = 'IPv4' | 'IPv6';

/** A traffic policy Local of a service that has endpoints, but none on this node. */
export interface WithoutLocalEndpoints {
  readonly family: Family;
  readonly policy: 'internal' | 'external';
}

/**
 * Upstream's metrics (k8s pkg/proxy/metrics/metrics.go, those with a label ip_family since 1.33), and what the dataplane
 * saw of each endpoint. What is programmed is programmed for all families of the node at once.
 */
export class ProxyMetrics implements ProgrammingObserver {
  private readonly metrics = createMetrics({ process: true });
  private readonly syncs = this.latency(
    'sync_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds',
  );
  private readonly full = this.latency(
    'sync_full_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds for full resyncs',
  );
  private readonly partial = this.latency(
    'sync_partial_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds for partial resyncs',
  );
  private readonly lastSync = this.metrics.gauge({
    name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
    help: 'The last time proxy rules were successfully synced',
    labels: ['ip_family'],
  });
  private readonly lastQueued = this.metrics.gauge({
    name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
    help: 'The last time a sync of proxy rules was queued',
    labels: ['ip_family'],
  });
  private readonly network = this.metrics.histogram({
    name: 'kubeproxy_network_programming_duration_seconds',
    help: 'In Cluster Network Programming Latency in seconds',
    labels: ['ip_family'],
    buckets: PROGRAMMING_BUCKETS,
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
  private readonly failures = {
    whole: this.metrics.counter({
      name: 'kubeproxy_sync_proxy_rules_iptables_restore_failures_total',
      help: 'Cumulative proxy programming failures',
      labels: ['ip_family'],
    }),
    partial: this.metrics.counter({
      name: 'kubeproxy_sync_proxy_rules_iptables_partial_restore_failures_total',
      help: 'Cumulative failures to program changes (resulting in a full programming)',
      labels: ['ip_family'],
    }),
  };
  private readonly withoutLocal = new Map<string, readonly WithoutLocalEndpoints[]>();
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
    /** The families of the node's addresses. */
    private readonly families: () => readonly Family[] = () => ['IPv4'],
    /** Of the requests to the API server. */
    private readonly requests: Pick<Metrics, 'text'> = createMetrics(),
  ) {
    this.countWithoutLocal();
    measureFeatures(this.metrics);
  }

  get contentType(): string {
    return this.metrics.contentType;
  }

  /** The text of /metrics; without the endpoints when the dataplane does not answer. */
  async text(): Promise<string> {
    const views = await this.view().catch((): readonly RuleView[] => []);
    const own = `${await this.metrics.text()}${await this.requests.text()}`;
    return `${own}${formatEndpointMetrics(views)}`;
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

  /** The policies Local of one service that find no endpoint on this node; none for a service that has gone. */
  local(service: string, without: readonly WithoutLocalEndpoints[]): void {
    if (without.length > 0) this.withoutLocal.set(service, without);
    else this.withoutLocal.delete(service);
  }

  queued(): void {
    for (const ip_family of this.families())
      this.lastQueued.set({ ip_family }, this.clock.now() / 1_000);
  }

  programmed(seconds: number, isWhole: boolean): void {
    const now = this.clock.now();
    for (const ip_family of this.families()) {
      this.syncs.observe({ ip_family }, seconds);
      (isWhole ? this.full : this.partial).observe({ ip_family }, seconds);
      this.lastSync.set({ ip_family }, now / 1_000);
      for (const trigger of this.waiting)
        this.network.observe({ ip_family }, Math.max(0, now - trigger) / 1_000);
    }
    this.pending.service.set(0);
    this.pending.endpoints.set(0);
    this.waiting = [];
  }

  failed(isWhole: boolean): void {
    for (const ip_family of this.families())
      this.failures[isWhole ? 'whole' : 'partial'].inc({ ip_family });
  }

  probed(probe: 'healthz' | 'livez', code: number): void {
    this.probes[probe].inc({ code: String(code) });
  }

  private countWithoutLocal(): void {
    this.metrics.gauge({
      name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
      help: 'Number of services with a Local traffic policy and no endpoints',
      labels: ['ip_family', 'traffic_policy'],
      collect: (gauge) => {
        const all = [...this.withoutLocal.values()].flat();
        for (const ip_family of this.families())
          for (const traffic_policy of ['internal', 'external'] as const) {
            const found = all.filter(
              ({ family, policy }) => family === ip_family && policy === traffic_policy,
            );
            gauge.set({ ip_family, traffic_policy }, found.length);
          }
      },
    });
  }

  private latency(name: string, help: string) {
    return this.metrics.histogram({
      name: `kubeproxy_${name}`,
      help,
      labels: ['ip_family'],
      buckets: exponentialBuckets(0.001, 2, 15),
    });
  }

  private counter(name: string, help: string) {
    return this.metrics.counter({ name: `kubeproxy_${name}`, help });
  }

  private gauge(name: string, help: string) {
    return this.metrics.gauge({ name: `kubeproxy_${name}`, help });
  }
}
