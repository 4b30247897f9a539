/** Some of some number: how often a controller looks is not given. */
const SOME = '[1-9]\\d*';

const literal = (line: string): string =>
  line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/ SOME$/, ` ${SOME}`);

const lines = (text: string): readonly RegExp[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => new RegExp(`^${literal(line)}$`));

/** What a controller's own metrics say after its scenario was played without a fault, by controller. */
export const TOLD: Readonly<Record<string, readonly RegExp[]>> = {
  'cronjob-controller': lines('cronjob_controller_job_creation_skew_duration_seconds_count 1'),
  'daemonset-controller': lines(
    'daemonset_controller_stale_sync_skips_total{group="apps",resource="daemonsets"} SOME',
  ),
  'device-taint-eviction-controller': lines(`
    device_taint_eviction_controller_pod_deletions_total 2
    device_taint_eviction_controller_pod_deletion_duration_seconds_count 2`),
  'endpointslice-controller': lines(`
    endpoint_slice_controller_endpoints_added_per_sync_count SOME
    endpoint_slice_controller_endpoints_removed_per_sync_count SOME
    endpoint_slice_controller_changes{operation="create"} 2
    endpoint_slice_controller_changes{operation="update"} SOME
    endpoint_slice_controller_changes{operation="delete"} 1
    endpoint_slice_controller_endpoints_desired 0
    endpoint_slice_controller_num_endpoint_slices 1
    endpoint_slice_controller_desired_endpoint_slices 1
    endpoint_slice_controller_endpointslices_changed_per_sync_count{topology="Disabled",traffic_distribution=""} SOME
    endpoint_slice_controller_syncs{result="success"} SOME`),
  'endpointslice-mirroring-controller': lines(`
    endpoint_slice_mirroring_controller_endpoints_added_per_sync_count SOME
    endpoint_slice_mirroring_controller_endpoints_updated_per_sync_count SOME
    endpoint_slice_mirroring_controller_endpoints_removed_per_sync_count SOME
    endpoint_slice_mirroring_controller_addresses_skipped_per_sync_count SOME
    endpoint_slice_mirroring_controller_endpoints_sync_duration_count SOME
    endpoint_slice_mirroring_controller_changes{operation="create"} 2
    endpoint_slice_mirroring_controller_changes{operation="update"} 1
    endpoint_slice_mirroring_controller_changes{operation="delete"} 2
    endpoint_slice_mirroring_controller_endpoints_desired 0
    endpoint_slice_mirroring_controller_num_endpoint_slices 0
    endpoint_slice_mirroring_controller_desired_endpoint_slices 0`),
  'ephemeral-volume-controller': lines(`
    ephemeral_volume_controller_create_total 2
    ephemeral_volume_controller_create_failures_total 0`),
  'garbage-collector-controller': lines('garbagecollector_controller_resources_sync_error_total 0'),
  'horizontal-pod-autoscaler-controller': lines(`
    horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers 1
    horizontal_pod_autoscaler_controller_desired_replicas{namespace="default",hpa_name="web"} 4
    horizontal_pod_autoscaler_controller_reconciliations_total{action="scale_down",error="none"} 1
    horizontal_pod_autoscaler_controller_reconciliations_total{action="scale_up",error="none"} 1
    horizontal_pod_autoscaler_controller_reconciliation_duration_seconds_count{action="scale_up",error="none"} 1`),
  'job-controller': lines(`
    job_controller_job_syncs_total{completion_mode="NonIndexed",result="success",action="pods_created"} SOME
    job_controller_job_sync_duration_seconds_count{completion_mode="NonIndexed",result="success",action="pods_created"} SOME
    job_controller_job_syncs_total{completion_mode="NonIndexed",result="success",action="reconciling"} SOME
    job_controller_jobs_finished_total{completion_mode="NonIndexed",result="succeeded",reason="CompletionsReached"} 1
    job_controller_jobs_finished_total{completion_mode="NonIndexed",result="failed",reason="BackoffLimitExceeded"} 1
    job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="succeeded"} 3
    job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="failed"} 2
    job_controller_terminated_pods_tracking_finalizer_total{event="add"} 5
    job_controller_terminated_pods_tracking_finalizer_total{event="delete"} 5`),
  'node-ipam-controller': lines(`
    node_ipam_controller_cidrset_cidrs_allocations_total{clusterCIDR="10.0.0.0/22"} 3
    node_ipam_controller_cidrset_usage_cidrs{clusterCIDR="10.0.0.0/22"} 0.75
    node_ipam_controller_cirdset_max_cidrs{clusterCIDR="10.0.0.0/22"} 4
    node_ipam_controller_cidrset_allocation_tries_per_request_count{clusterCIDR="10.0.0.0/22"} 3`),
  'node-lifecycle-controller': lines(`
    node_collector_zone_health{zone=""} 50
    node_collector_zone_size{zone=""} 2
    node_collector_unhealthy_nodes_in_zone{zone=""} 1
    node_collector_evictions_total{zone=""} 1
    node_collector_update_node_health_duration_seconds_count SOME
    node_collector_update_all_nodes_health_duration_seconds_count SOME`),
  'persistentvolume-binder-controller': lines(`
    pv_collector_total_pv_count{plugin_name="kubernetes.io/host-path",volume_mode="Filesystem"} 1
    pv_collector_unbound_pv_count{storage_class="manual"} 1`),
  'pod-garbage-collector-controller': lines(`
    pod_gc_collector_force_delete_pods_total{namespace="default",reason="terminated"} 2
    pod_gc_collector_force_delete_pods_total{namespace="default",reason="orphaned"} 1`),
  'replicaset-controller': lines('replicaset_controller_sorting_deletion_age_ratio_count SOME'),
  'resourceclaim-controller': lines(`
    resourceclaim_controller_resource_claims{allocated="false",admin_access="false",source=""} 1
    resourceclaim_controller_creates_total{status="success",admin_access="false"} 2`),
  'root-ca-certificate-publisher-controller': lines(
    'root_ca_cert_publisher_sync_total{code="200"} SOME',
  ),
  'statefulset-controller': lines(
    'statefulset_controller_stale_sync_skips_total{group="apps",resource="statefulsets"} SOME',
  ),
  'taint-eviction-controller': lines(`
    taint_eviction_controller_pod_deletions_total 2
    taint_eviction_controller_pod_deletion_duration_seconds_count 2`),
  'ttl-after-finished-controller': lines(
    'ttl_after_finished_controller_job_deletion_duration_seconds_count 1',
  ),
};
