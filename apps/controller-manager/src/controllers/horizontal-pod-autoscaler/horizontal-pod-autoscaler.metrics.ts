import { parseKeyString } from '@orrery/apimachinery';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';

const SUBSYSTEM = 'horizontal_pod_autoscaler_controller';
const LABELS =
  "The label 'action' should be either 'scale_down', 'scale_up', or 'none'. Also, the label 'error' should be either 'spec', 'internal', or 'none'.";
const FIRST =
  'Note that if both spec and internal errors happen during a reconciliation, the first one to occur is reported in `error` label.';
const TYPE = "The label 'metric_type' corresponds to HPA.spec.metrics[*].type";

export type ScaleAction = 'scale_up' | 'scale_down' | 'none';
export type ScaleError = 'spec' | 'internal' | 'none';

/** What is counted of autoscalers, by key (k8s pkg/controller/podautoscaler/monitor). */
export interface AutoscalerMeters {
  reconciled(action: ScaleAction, error: ScaleError, seconds: number): void;
  computed(type: string, action: ScaleAction, error: ScaleError, seconds: number): void;
  desired(key: string, replicas: number): void;
  added(key: string): void;
  forget(key: string): void;
}

/** Pure: where a count of replicas goes. */
export function actionOf(current: number, wanted: number): ScaleAction {
  if (wanted === current) return 'none';
  return wanted > current ? 'scale_up' : 'scale_down';
}

function createReconcileMeters(metrics: Metrics): AutoscalerMeters['reconciled'] {
  const labels = ['action', 'error'] as const;
  const total = metrics.counter({
    name: `${SUBSYSTEM}_reconciliations_total`,
    help: `Number of reconciliations of HPA controller. ${LABELS} ${FIRST}`,
    labels,
  });
  const duration = metrics.histogram({
    name: `${SUBSYSTEM}_reconciliation_duration_seconds`,
    help: `The time(seconds) that the HPA controller takes to reconcile once. ${LABELS} ${FIRST}`,
    labels,
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  return (action, error, seconds) => {
    total.inc({ action, error });
    duration.observe({ action, error }, seconds);
  };
}

function createComputationMeters(metrics: Metrics): AutoscalerMeters['computed'] {
  const labels = ['action', 'error', 'metric_type'] as const;
  const total = metrics.counter({
    name: `${SUBSYSTEM}_metric_computation_total`,
    help: `Number of metric computations. ${LABELS} ${TYPE}`,
    labels,
  });
  const duration = metrics.histogram({
    name: `${SUBSYSTEM}_metric_computation_duration_seconds`,
    help: `The time(seconds) that the HPA controller takes to calculate one metric. ${LABELS} ${TYPE}`,
    labels,
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  return (metric_type, action, error, seconds) => {
    total.inc({ action, error, metric_type });
    duration.observe({ action, error, metric_type }, seconds);
  };
}

export function createAutoscalerMeters(metrics: Metrics): AutoscalerMeters {
  const known = new Set<string>();
  metrics.gauge({
    name: `${SUBSYSTEM}_num_horizontal_pod_autoscalers`,
    help: 'Current number of controlled HPA objects.',
    collect: (gauge) => {
      gauge.set(known.size);
    },
  });
  const desired = metrics.gauge({
    name: `${SUBSYSTEM}_desired_replicas`,
    help: 'Current desired replica count for HPA objects.',
    labels: ['namespace', 'hpa_name'],
  });
  const labelsOf = (key: string): { namespace: string; hpa_name: string } => {
    const { namespace = '', name } = parseKeyString(key);
    return { namespace, hpa_name: name };
  };
  return {
    reconciled: createReconcileMeters(metrics),
    computed: createComputationMeters(metrics),
    desired: (key, replicas) => {
      desired.set(labelsOf(key), replicas);
    },
    added: (key) => {
      known.add(key);
    },
    forget: (key) => {
      known.delete(key);
      desired.remove(labelsOf(key));
    },
  };
}
