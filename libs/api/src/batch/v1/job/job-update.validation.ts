import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, cloneJson, invalid } from '@orrery/apimachinery';
import type { Container, Job, JobSpec, PodSpec, PodTemplateSpec } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { validateJob } from './job.validation.js';

const SPEC = FieldPath.of('spec');
const TEMPLATE = SPEC.child('template');

const isTrue = (job: Job, type: string): boolean =>
  list(job.status?.conditions).some((each) => each.type === type && each.status === 'True');

/**
 * A suspended job without pods may change where and with what its pods are to run, before it has started or once it
 * is known to be suspended (KEP-2926, KEP-5440; both gates are on in 1.36).
 */
const mayChangeTemplate = (old: Job): boolean =>
  old.spec?.suspend === true &&
  (old.status?.active ?? 0) === 0 &&
  (!old.status?.startTime || isTrue(old, 'Suspended'));

/** Of affinity only that to nodes may change; an affinity with nothing else may come and go. */
function withoutNodeAffinity({ affinity }: PodSpec): unknown {
  const { nodeAffinity: _, ...rest } = affinity ?? {};
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** Resources may change of containers that stay what they are. */
function withoutResources(
  containers: readonly Container[] | undefined,
  before: readonly Container[] | undefined,
): unknown {
  const own = list(containers);
  const others = list(before);
  if (own.length !== others.length) return own;
  return own.map((container, i) => {
    if (container.name !== others[i]?.name) return container;
    const { resources: _, ...rest } = container;
    return rest;
  });
}

/** What must not change of a pod even in a job that {@link mayChangeTemplate}. */
function fixedPod(pod: PodSpec, other: PodSpec | undefined): unknown {
  const { nodeSelector: _n, tolerations: _t, schedulingGates: _g, ...rest } = pod;
  return {
    ...rest,
    affinity: withoutNodeAffinity(pod),
    containers: withoutResources(pod.containers, other?.containers),
    initContainers: withoutResources(pod.initContainers, other?.initContainers),
  };
}

function fixedMetadata({ metadata }: PodTemplateSpec): unknown {
  const { labels: _l, annotations: _a, ...rest } = metadata ?? {};
  return rest;
}

/** k8s pkg/apis/batch/validation/validation.go:validatePodTemplateUpdate. */
function validateTemplateUpdate(template: PodTemplateSpec, job: Job, old: Job): FieldError[] {
  const before = old.spec?.template ?? {};
  const [pod, oldPod] = [template.spec, before.spec].map(
    (spec) => cloneJson(spec ?? {}) as PodSpec,
  );
  if (!mayChangeTemplate(old) || !pod || !oldPod) {
    return immutable(job.spec?.template, old.spec?.template, TEMPLATE, 'core/v1.PodTemplateSpec');
  }
  const findings: FieldError[] = [];
  if (!isDeepEqual(fixedMetadata(template), fixedMetadata(before))) {
    const shown = internalForm(template, 'core/v1.PodTemplateSpec');
    findings.push(invalid(TEMPLATE, shown, FIELD_IMMUTABLE));
  }
  if (!isDeepEqual(fixedPod(pod, oldPod), fixedPod(oldPod, pod))) {
    const shown = internalForm(pod, 'core/v1.PodSpec');
    findings.push(invalid(TEMPLATE.child('spec'), shown, FIELD_IMMUTABLE));
  }
  return findings;
}

/** An indexed job may be resized, all of it at once. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  const path = SPEC.child('completions');
  if (spec.completionMode !== 'Indexed') return immutable(spec.completions, old.completions, path);
  const { completions } = spec;
  if (completions === old.completions || (completions ?? null) === null) return [];
  const text = 'can only be modified in tandem with spec.parallelism';
  return when(completions !== spec.parallelism, invalid(path, completions, text));
}

const FIXED = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

/** k8s pkg/apis/batch/validation/validation.go:ValidateJobUpdate. */
export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const found = validateJob(job, old);
  const { spec } = job;
  const before = old.spec;
  if (!spec || !before) return found;
  return [
    ...found,
    ...validateCompletions(spec, before),
    ...immutable(spec.selector, before.selector, SPEC.child('selector')),
    ...validateTemplateUpdate(spec.template ?? {}, job, old),
    ...FIXED.flatMap((field) => immutable(spec[field], before[field], SPEC.child(field))),
  ];
}
