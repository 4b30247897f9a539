import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

let api: Replica;

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
}, 60_000);

afterAll(async () => {
  await api.close();
});

/** The lines of a metric whose labels are all there. */
async function linesOf(name: string, ...labels: string[]): Promise<string[]> {
  const { text } = await api.ask('/metrics');
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)));
}

const hook = (name: string, failurePolicy: string): Json => ({
  metadata: { name },
  webhooks: [
    {
      name: `${name}.example.com`,
      clientConfig: { url: 'https://127.0.0.1:9/admit' },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] },
      ],
      objectSelector: { matchLabels: { ask: name } },
      failurePolicy,
      sideEffects: 'None',
      timeoutSeconds: 2,
      admissionReviewVersions: ['v1'],
    },
  ],
});

describe('metrics of objects and requests', () => {
  it('count what is stored, sent and under way', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'counted' } });
    const [objects] = await linesOf('apiserver_storage_objects', 'resource="configmaps"');
    const { items } = (await api.ask('/api/v1/configmaps')).json as { items: Json[] };
    expect(objects).toBe(`apiserver_storage_objects{resource="configmaps"} ${items.length}`);
    await api.ask(`${CONFIG_MAPS}?watch=true&timeoutSeconds=1`);
    const [sent] = await linesOf('apiserver_watch_events_total', 'resource="configmaps"');
    expect(sent).toMatch(/version="v1".* [1-9]\d*$/);
    expect(await linesOf('apiserver_current_inflight_requests')).toHaveLength(2);
    expect(await linesOf('kubernetes_build_info', 'major="1"')).toHaveLength(1);
  });
});

describe('metrics of upstream that are stable or nearly so', () => {
  beforeAll(async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'seen' } });
    await api.ask(`${CONFIG_MAPS}/seen`);
    await api.ask('/readyz');
    const applied = { kind: 'ConfigMap', apiVersion: 'v1' };
    await api.patch(`${CONFIG_MAPS}/seen?dryRun=All&fieldManager=x`, 'apply-patch+yaml', applied);
    const listing = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const watching = `watch=true&timeoutSeconds=1&allowWatchBookmarks=true&${listing}`;
    await api.ask(`${CONFIG_MAPS}?${watching}`);
  });

  it.each([
    [
      'apiserver_admission_step_admission_duration_seconds_count',
      'type="admit",operation="CREATE"',
    ],
    ['apiserver_admission_controller_admission_duration_seconds_count', 'name="LimitRanger"'],
    ['apiserver_request_total', 'verb="POST"', 'code="201"', 'scope="resource"'],
    ['apiserver_request_total', 'verb="APPLY"', 'dry_run="All"'],
    ['apiserver_request_duration_seconds_count', 'resource="configmaps"', 'scope="resource"'],
    ['apiserver_request_sli_duration_seconds_count', 'resource="configmaps"', 'verb="GET"'],
    ['apiserver_response_sizes_bucket', 'le="1000"', 'resource="configmaps"', 'verb="GET"'],
    [
      'apiserver_request_body_size_bytes_bucket',
      'le="50000"',
      'resource="configmaps"',
      'verb="create"',
    ],
    ['apiserver_current_inflight_requests', 'request_kind="mutating"'],
    ['apiserver_storage_size_bytes', 'storage_cluster_id="etcd-0"'],
    ['apiserver_storage_objects', 'resource="configmaps"'],
    ['etcd_request_duration_seconds_count', 'operation="create"', 'resource="configmaps"'],
    ['etcd_requests_total', 'operation="create"', 'group="",resource="configmaps"'],
    ['apiserver_storage_events_received_total', 'group="",resource="configmaps"'],
    ['apiserver_watch_cache_events_received_total', 'group="",resource="configmaps"'],
    ['apiserver_watch_cache_events_dispatched_total', 'group="",resource="configmaps"'],
    ['apiserver_watch_cache_resource_version', 'group="apps",resource="deployments"'],
    ['apiserver_cache_list_total', 'group="",resource="configmaps",index=""'],
    ['apiserver_cache_list_fetched_objects_total', 'resource="configmaps"'],
    ['kubernetes_feature_enabled', 'name="WatchList",stage="BETA"'],
    ['kubernetes_healthcheck', 'name="etcd",type="readyz"'],
    ['kubernetes_healthchecks_total', 'status="success"'],
    ['kubernetes_build_info', 'major="1"'],
    ['authenticated_user_requests', 'username="other"'],
    ['authentication_attempts', 'result="success"'],
    ['authorization_attempts_total', 'result="allowed"'],
    ['apiserver_flowcontrol_current_executing_seats', 'flow_schema="', 'priority_level="'],
    ['apiserver_flowcontrol_current_executing_requests', 'flow_schema="', 'priority_level="'],
    ['apiserver_flowcontrol_current_inqueue_requests', 'flow_schema="', 'priority_level="'],
    ['apiserver_flowcontrol_dispatched_requests_total', 'flow_schema="', 'priority_level="'],
    ['apiserver_flowcontrol_nominal_limit_seats', 'priority_level="workload-low"'],
    ['apiserver_watch_list_duration_seconds_count', 'resource="configmaps"', 'scope="namespace"'],
    ['apiserver_cel_compilation_duration_seconds_count'],
    ['apiserver_cel_evaluation_duration_seconds_count'],
    ['apiserver_audit_event_total'],
    ['apiserver_audit_requests_rejected_total'],
    ['apiserver_validation_declarative_validation_mismatch_total'],
    ['apiserver_validation_declarative_validation_panic_total'],
    ['registered_metrics_total', 'deprecated_version=""', 'stability_level="STABLE"'],
    ['registered_metrics_total', 'stability_level="ALPHA"'],
    ['aggregator_unavailable_apiservice', 'name="v1.apps"'],
    ['version_info', 'binary="1.36"', 'component="kube"', 'min_compat="1.35"'],
  ])('%s has %s', async (name, ...labels) => {
    expect(await linesOf(name, ...labels)).not.toEqual([]);
  });
});

describe('metrics of admission', () => {
  it('time the plugins by what they did', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'timed' } });
    await api.post('/api/v1/namespaces/absent/configmaps', { metadata: { name: 'x' } });
    const name = 'apiserver_admission_controller_admission_duration_seconds_count';
    const plugin = 'name="NamespaceLifecycle"';
    const of = (rejected: string): Promise<string[]> =>
      linesOf(name, plugin, 'operation="CREATE"', `rejected="${rejected}"`);
    expect(await of('false')).toHaveLength(1);
    expect(await of('true')).toHaveLength(1);
  });

  it('count webhooks that cannot be asked, shut and open', async () => {
    for (const policy of ['Fail', 'Ignore'])
      await api.post(HOOKS, hook(policy.toLowerCase(), policy));
    await eventually(async () => {
      const body = { metadata: { generateName: 'a-', labels: { ask: 'fail' } } };
      expect((await api.post(CONFIG_MAPS, body)).status).toBe(500);
    });
    await eventually(async () => {
      await api.post(CONFIG_MAPS, { metadata: { generateName: 'a-', labels: { ask: 'ignore' } } });
      const open = 'apiserver_admission_webhook_fail_open_count';
      expect(await linesOf(open, 'name="ignore.example.com"', 'type="validating"')).toHaveLength(1);
    });
    const refused = await linesOf(
      'apiserver_admission_webhook_rejection_count',
      'name="fail.example.com"',
      'error_type="calling_webhook_error"',
    );
    expect(refused).toHaveLength(1);
    const asked = 'apiserver_admission_webhook_request_total';
    expect(await linesOf(asked, 'name="ignore.example.com"', 'rejected="false"')).toHaveLength(1);
  });
});

describe('apiserver_requested_deprecated_apis', () => {
  it('names what was asked for', async () => {
    await api.ask('/api/v1/namespaces/default/endpoints');
    const lines = await linesOf('apiserver_requested_deprecated_apis', 'resource="endpoints"');
    expect(lines).toEqual([
      'apiserver_requested_deprecated_apis{group="",version="v1",resource="endpoints",subresource="",removed_release=""} 1',
    ]);
  });
});
