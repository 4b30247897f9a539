import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, notSupported, required } from '@orrery/apimachinery';
import type { Job, JobSpec } from '../../../types.js';
import { nonNegative, oneOf } from '../../../meta/fields.js';
import { selectorMatches, validateLabelSelector } from '../../../meta/label-selector.js';
import { isDeepEqual } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { validatePodTemplate } from '../../../core/v1/pod-template/pod-template.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_INDEXED_PARALLELISM = 100_000;

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

function validateRestartPolicy(spec: JobSpec, path: Path): FieldError[] {
  const at = path.child('template', 'spec', 'restartPolicy');
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === 'Always' || policy === '') {
    return [required(at, 'valid values: "OnFailure", "Never"')];
  }
  return policy === 'OnFailure' || policy === 'Never'
    ? []
    : [notSupported(at, policy, ['OnFailure', 'Never'])];
}

function validateIndexed(spec: JobSpec, path: Path): FieldError[] {
  const findings = oneOf(
    spec.completionMode,
    ['NonIndexed', 'Indexed'],
    path.child('completionMode'),
    false,
  );
  if (spec.completionMode !== 'Indexed') return findings;
  if ((spec.completions ?? undefined) === undefined) {
    findings.push(required(path.child('completions'), 'when completion mode is Indexed'));
  }
  if ((spec.parallelism ?? 0) > MAX_INDEXED_PARALLELISM) {
    findings.push(
      invalid(
        path.child('parallelism'),
        spec.parallelism,
        `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`,
      ),
    );
  }
  return findings;
}

/** k8s pkg/apis/batch/validation/validation.go:validateJobSpec; also for the template of a CronJob. */
export function validateJobSpec(spec: JobSpec | undefined, path: Path): FieldError[] {
  if (!spec) return [required(path)];
  return [
    ...COUNTS.flatMap((field) => nonNegative(spec[field], path.child(field))),
    ...validateIndexed(spec, path),
    ...(spec.podFailurePolicy && spec.template?.spec?.restartPolicy !== 'Never'
      ? [
          invalid(
            path.child('template', 'spec', 'restartPolicy'),
            spec.template?.spec?.restartPolicy ?? '',
            'only "Never" is supported when podFailurePolicy is specified',
          ),
        ]
      : []),
    ...validatePodTemplate(spec.template, path.child('template')),
    ...validateRestartPolicy(spec, path),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:ValidateJob. */
export function validateJob({ spec }: Job): FieldError[] {
  const selector = SPEC.child('selector');
  return [
    ...(spec?.selector ? validateLabelSelector(spec.selector, selector) : [required(selector)]),
    ...(spec?.selector && !selectorMatches(spec.selector, spec.template?.metadata?.labels)
      ? [
          invalid(
            SPEC.child('template', 'metadata', 'labels'),
            spec.template?.metadata?.labels ?? {},
            '`selector` does not match template `labels`',
          ),
        ]
      : []),
    ...validateJobSpec(spec, SPEC),
  ];
}

/** While a job is suspended and has not started, scheduling directives of its template may change (KEP-2926). */
function templateWithoutDirectives(spec: JobSpec): unknown {
  const template = structuredClone(spec.template ?? {});
  const pod = template.spec;
  if (pod) {
    delete pod.nodeSelector;
    delete pod.tolerations;
    delete pod.affinity;
    delete pod.schedulingGates;
  }
  if (template.metadata) {
    delete template.metadata.labels;
    delete template.metadata.annotations;
  }
  return template;
}

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const { spec } = job;
  const before = old.spec;
  if (!spec || !before) return [];
  const mayDirect = before.suspend === true && !old.status?.startTime;
  const sameTemplate = mayDirect
    ? isDeepEqual(templateWithoutDirectives(spec), templateWithoutDirectives(before))
    : isDeepEqual(spec.template, before.template);
  const mayResize =
    spec.completionMode === 'Indexed' &&
    spec.completions === spec.parallelism &&
    before.completions === before.parallelism;
  return [
    ...(mayResize
      ? []
      : immutable(spec.completions, before.completions, SPEC.child('completions'))),
    ...immutable(spec.selector, before.selector, SPEC.child('selector')),
    ...(sameTemplate ? [] : [invalid(SPEC.child('template'), spec.template, 'field is immutable')]),
    ...immutable(spec.completionMode, before.completionMode, SPEC.child('completionMode')),
    ...immutable(spec.podFailurePolicy, before.podFailurePolicy, SPEC.child('podFailurePolicy')),
    ...immutable(
      spec.backoffLimitPerIndex,
      before.backoffLimitPerIndex,
      SPEC.child('backoffLimitPerIndex'),
    ),
    ...immutable(spec.managedBy, before.managedBy, SPEC.child('managedBy')),
    ...immutable(spec.successPolicy, before.successPolicy, SPEC.child('successPolicy')),
  ];
}
