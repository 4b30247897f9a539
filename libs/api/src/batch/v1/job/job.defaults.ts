import type { Job, JobSpec } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';

const DEFAULT_BACKOFF = 6;
const MAX_INT32 = 2 ** 31 - 1;

function setCountDefaults(spec: JobSpec): void {
  const completions = spec.completions ?? undefined;
  const parallelism = spec.parallelism ?? undefined;
  if (completions === undefined && parallelism === undefined) spec.completions = 1;
  spec.parallelism = parallelism ?? 1;
  spec.backoffLimit ??=
    (spec.backoffLimitPerIndex ?? undefined) === undefined ? DEFAULT_BACKOFF : MAX_INT32;
}

/** k8s pkg/apis/batch/v1/defaults.go:SetDefaults_PodFailurePolicyOnPodConditionsPattern. */
export function setFailurePolicyDefaults(spec: JobSpec | undefined): void {
  for (const rule of list(spec?.podFailurePolicy?.rules)) {
    for (const condition of list(rule.onPodConditions)) condition.status ||= 'True';
  }
}

/** k8s pkg/apis/batch/v1/defaults.go:SetDefaults_Job. */
export function setJobDefaults(job: Job): void {
  fillTemplate(job);
  const { metadata, spec } = job;
  if (!spec) return;
  setCountDefaults(spec);
  const labels = spec.template?.metadata?.labels;
  // The same object, as upstream's is the same map: generateSelector sees by it that they are the default.
  if (labels && entries(metadata.labels).length === 0) metadata.labels = labels;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  spec.manualSelector ??= false;
  setFailurePolicyDefaults(spec);
  setPodTemplateDefaults(spec.template);
}
