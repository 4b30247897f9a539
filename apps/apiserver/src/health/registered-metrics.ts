/** Upstream's metrics that are not alpha, as far as they are shown here (k8s test/instrumentation/documentation). */
const STABLE: ReadonlySet<string> = new Set([
  'apiserver_admission_controller_admission_duration_seconds',
  'apiserver_admission_step_admission_duration_seconds',
  'apiserver_admission_webhook_admission_duration_seconds',
  'apiserver_current_inflight_requests',
  'apiserver_longrunning_requests',
  'apiserver_request_duration_seconds',
  'apiserver_request_total',
  'apiserver_requested_deprecated_apis',
  'apiserver_response_sizes',
  'apiserver_storage_objects',
  'kubernetes_healthcheck',
  'kubernetes_healthchecks_total',
]);

const BETA: ReadonlySet<string> = new Set([
  'apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds',
  'apiserver_authentication_config_controller_automatic_reloads_total',
  'apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds',
  'apiserver_authorization_config_controller_automatic_reloads_total',
  'apiserver_cel_compilation_duration_seconds',
  'apiserver_cel_evaluation_duration_seconds',
  'apiserver_flowcontrol_current_executing_requests',
  'apiserver_flowcontrol_current_executing_seats',
  'apiserver_flowcontrol_current_inqueue_requests',
  'apiserver_flowcontrol_dispatched_requests_total',
  'apiserver_flowcontrol_nominal_limit_seats',
  'apiserver_flowcontrol_rejected_requests_total',
  'apiserver_flowcontrol_request_wait_duration_seconds',
  'apiserver_storage_events_received_total',
  'apiserver_validating_admission_policy_check_duration_seconds',
  'apiserver_validating_admission_policy_check_total',
  'apiserver_validation_declarative_validation_mismatch_total',
  'apiserver_validation_declarative_validation_panic_total',
  'apiserver_watch_list_duration_seconds',
  'disabled_metrics_total',
  'hidden_metrics_total',
  'kubernetes_build_info',
  'kubernetes_feature_enabled',
  'registered_metrics_total',
]);

const NAME = 'registered_metrics_total';

const levelOf = (name: string): string => {
  if (STABLE.has(name)) return 'STABLE';
  return BETA.has(name) ? 'BETA' : 'ALPHA';
};

/** Upstream's metric that counts all others of a text, and itself, by how stable they are. */
export function registeredMetrics(text: string): string {
  const counts = new Map<string, number>([['BETA', 1]]);
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+)/gm)) {
    const level = levelOf(name);
    counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  const lines = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([level, n]) => `${NAME}{deprecated_version="",stability_level="${level}"} ${n}\n`);
  return `# HELP ${NAME} Metrics by how stable they are.\n# TYPE ${NAME} counter\n${lines.join('')}`;
}
