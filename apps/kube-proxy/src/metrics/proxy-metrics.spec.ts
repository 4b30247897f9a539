import { describe, expect, it } from '@jest/globals';
import { restClientMetrics } from '@orrery/client';
import { SystemClock, createMetrics } from '@orrery/component';
import { ProxyMetrics } from './proxy-metrics.js';

/** kubernetes.io/docs/reference/instrumentation/metrics, of mode iptables: name, type, labels. */
const UPSTREAM: readonly (readonly [name: string, type: string, labels: readonly string[]])[] = [
  ['kubeproxy_network_programming_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_proxy_healthz_total', 'counter', ['code']],
  ['kubeproxy_proxy_livez_total', 'counter', ['code']],
  ['kubeproxy_sync_full_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_partial_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_endpoint_changes_pending', 'gauge', []],
  ['kubeproxy_sync_proxy_rules_endpoint_changes_total', 'counter', []],
  ['kubeproxy_sync_proxy_rules_iptables_partial_restore_failures_total', 'counter', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_iptables_restore_failures_total', 'counter', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds', 'gauge', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_last_timestamp_seconds', 'gauge', ['ip_family']],
  ['kubeproxy_sync_proxy_rules_no_local_endpoints_total', 'gauge', ['ip_family', 'traffic_policy']],
  ['kubeproxy_sync_proxy_rules_service_changes_pending', 'gauge', []],
  ['kubeproxy_sync_proxy_rules_service_changes_total', 'counter', []],
  ['kubernetes_build_info', 'gauge', ['git_version']],
];

describe(ProxyMetrics.name, () => {
  const metrics = new ProxyMetrics(
    new SystemClock(),
    () => Promise.reject(new Error('no dataplane')),
    () => ['IPv4', 'IPv6'],
  );

  it.each(UPSTREAM)('%s is a %s as upstream, with its labels', async (name, type, labels) => {
    const slice = (time: string) => ({
      metadata: {
        name: 'web-1',
        namespace: 'default',
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time },
      },
      addressType: 'IPv4' as const,
      endpoints: [],
    });
    metrics.queued();
    metrics.changed('service', [slice('2026-01-01T00:00:00Z')]);
    metrics.changed('endpoints', [slice(`2026-01-01T00:00:0${labels.length + 1}Z`)]);
    metrics.programmed(0.1, true);
    metrics.programmed(0.1, false);
    metrics.failed(true);
    metrics.failed(false);
    metrics.probed('healthz', 200);
    metrics.probed('livez', 200);
    const text = await metrics.text();
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    const line = text.split('\n').find((one) => new RegExp(`^${name}(_count)?[ {]`).test(one));
    for (const label of labels) expect(line).toContain(`${label}="`);
    const hasFamilies = new RegExp(`${name}.*IPv6`).test(text);
    expect(hasFamilies).toBe(labels.includes('ip_family'));
  });

  it('tells of the requests to the API server beside its own', async () => {
    const requests = createMetrics();
    restClientMetrics(requests).sent({
      method: 'GET',
      host: 'api:6443',
      code: 200,
      seconds: 0.1,
      sentBytes: 0,
      receivedBytes: 10,
      isRepeated: false,
    });
    const own = new ProxyMetrics(
      new SystemClock(),
      () => Promise.resolve([]),
      () => ['IPv4'],
      requests,
    );
    expect(await own.text()).toContain(
      'rest_client_requests_total{code="200",method="GET",host="api:6443"} 1',
    );
  });

  it('counts services whose policy Local finds nothing on this node', async () => {
    const count = async (policy: string): Promise<string | undefined> =>
      new RegExp(
        `no_local_endpoints_total\\{ip_family="IPv4",traffic_policy="${policy}"\\} (\\d+)`,
      ).exec(await metrics.text())?.[1];
    metrics.local('default/a', [{ family: 'IPv4', policy: 'internal' }]);
    metrics.local('default/b', [{ family: 'IPv4', policy: 'internal' }]);
    expect([await count('internal'), await count('external')]).toEqual(['2', '0']);
    metrics.local('default/a', []);
    expect(await count('internal')).toBe('1');
  });
});
