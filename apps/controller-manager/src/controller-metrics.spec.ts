import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import {
  SystemClock,
  SystemRandom,
  createMetrics,
  parseFlags,
  silentLogger,
} from '@orrery/component';
import { createLeaderMeters, createQueueMeters, leadAlways } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { ControllerManagerFlags, toOptions } from './config/options.js';
import type { ControllerContext } from './controller-entry.js';
import { selectControllers } from './controller-selection.js';
import { CONTROLLERS } from './controllers/controllers.js';
import { tellRunning } from './running-controllers.js';

/** https://kubernetes.io/docs/reference/instrumentation/metrics/ of 1.36: what kube-controller-manager has of its own, of what is modelled. */
const UPSTREAM: Readonly<Record<'counter' | 'gauge' | 'histogram', readonly string[]>> = {
  counter: `attach_detach_controller_attachdetach_controller_forced_detaches
    daemonset_controller_stale_sync_skips_total device_taint_eviction_controller_pod_deletions_total
    endpoint_slice_controller_changes endpoint_slice_controller_syncs
    endpoint_slice_mirroring_controller_changes ephemeral_volume_controller_create_failures_total
    ephemeral_volume_controller_create_total garbagecollector_controller_resources_sync_error_total
    horizontal_pod_autoscaler_controller_metric_computation_total
    horizontal_pod_autoscaler_controller_reconciliations_total
    job_controller_job_finished_indexes_total job_controller_job_pods_creation_total
    job_controller_job_pods_finished_total job_controller_job_syncs_total
    job_controller_jobs_by_external_controller_total job_controller_jobs_finished_total
    job_controller_pod_failures_handled_by_failure_policy_total job_controller_stale_sync_skips_total
    job_controller_terminated_pods_tracking_finalizer_total leader_election_slowpath_total
    node_collector_evictions_total node_ipam_controller_cidrset_cidrs_allocations_total
    node_ipam_controller_cidrset_cidrs_releases_total pod_gc_collector_force_delete_pod_errors_total
    pod_gc_collector_force_delete_pods_total replicaset_controller_stale_sync_skips_total
    resourceclaim_controller_creates_total retroactive_storageclass_errors_total
    retroactive_storageclass_total root_ca_cert_publisher_sync_total
    statefulset_controller_stale_sync_skips_total taint_eviction_controller_pod_deletions_total
    volume_operation_total_errors workqueue_adds_total workqueue_retries_total`.split(/\s+/),
  gauge: `attachdetach_controller_total_volumes endpoint_slice_controller_desired_endpoint_slices
    endpoint_slice_controller_endpoints_desired endpoint_slice_controller_num_endpoint_slices
    endpoint_slice_controller_services_count_by_traffic_distribution
    endpoint_slice_mirroring_controller_desired_endpoint_slices
    endpoint_slice_mirroring_controller_endpoints_desired
    endpoint_slice_mirroring_controller_num_endpoint_slices
    horizontal_pod_autoscaler_controller_desired_replicas
    horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers
    leader_election_master_status node_collector_unhealthy_nodes_in_zone node_collector_zone_health
    node_collector_zone_size node_ipam_controller_cidrset_usage_cidrs
    node_ipam_controller_cirdset_max_cidrs pv_collector_bound_pv_count pv_collector_bound_pvc_count
    pv_collector_total_pv_count pv_collector_unbound_pv_count pv_collector_unbound_pvc_count
    resourceclaim_controller_resource_claims running_managed_controllers
    statefulset_controller_statefulset_max_unavailable
    statefulset_controller_statefulset_unavailable_replicas storage_count_attachable_volumes_in_use
    workqueue_depth workqueue_longest_running_processor_seconds
    workqueue_unfinished_work_seconds`.split(/\s+/),
  histogram: `cronjob_controller_job_creation_skew_duration_seconds
    device_taint_eviction_controller_pod_deletion_duration_seconds
    endpoint_slice_controller_endpoints_added_per_sync
    endpoint_slice_controller_endpoints_removed_per_sync
    endpoint_slice_controller_endpointslices_changed_per_sync
    endpoint_slice_mirroring_controller_addresses_skipped_per_sync
    endpoint_slice_mirroring_controller_endpoints_added_per_sync
    endpoint_slice_mirroring_controller_endpoints_removed_per_sync
    endpoint_slice_mirroring_controller_endpoints_sync_duration
    endpoint_slice_mirroring_controller_endpoints_updated_per_sync
    horizontal_pod_autoscaler_controller_metric_computation_duration_seconds
    horizontal_pod_autoscaler_controller_reconciliation_duration_seconds
    job_controller_job_sync_duration_seconds node_collector_update_all_nodes_health_duration_seconds
    node_collector_update_node_health_duration_seconds
    node_ipam_controller_cidrset_allocation_tries_per_request
    replicaset_controller_sorting_deletion_age_ratio root_ca_cert_publisher_sync_duration_seconds
    taint_eviction_controller_pod_deletion_duration_seconds
    ttl_after_finished_controller_job_deletion_duration_seconds workqueue_queue_duration_seconds
    workqueue_work_duration_seconds`.split(/\s+/),
};

const folder = mkdtempSync(join(tmpdir(), 'orrery-metrics-'));
const rootCa = join(folder, 'ca.crt');
const clock = new SystemClock();
const client: KubeClient = connect({ server: 'https://127.0.0.1:1', clock });
const metrics = createMetrics();

beforeAll(() => {
  writeFileSync(rootCa, 'a certificate');
  const base = { clock, random: new SystemRandom(), logger: silentLogger };
  const flags = [
    '--kubeconfig=x',
    '--controllers=*',
    '--allocate-node-cidrs',
    '--cluster-cidr=10.0.0.0/16',
    `--root-ca-file=${rootCa}`,
  ];
  const context: ControllerContext = {
    ...base,
    client,
    metrics,
    informers: new InformerFactory({ ...base, client }),
    events: () => ({ event: () => undefined }),
    options: toOptions(parseFlags(ControllerManagerFlags, flags)),
  };
  for (const entry of selectControllers(CONTROLLERS, context.options)) {
    entry.definition(context);
    entry.create(context);
  }
  createQueueMeters(metrics);
  createLeaderMeters(metrics, 'kube-controller-manager');
  tellRunning({ metrics, checks: [] }, [], leadAlways);
});

afterAll(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the metrics of all controllers', () => {
  it.each(['counter', 'gauge', 'histogram'] as const)('are upstream’s: each %s', async (type) => {
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('# TYPE '));
    const ours = lines
      .filter((line) => line.endsWith(` ${type}`))
      .map((line) => line.split(' ')[2] ?? '');
    expect(ours.sort()).toEqual([...UPSTREAM[type]].sort());
  });
});
