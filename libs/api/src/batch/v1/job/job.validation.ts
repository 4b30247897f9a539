import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  cloneJson,
  invalid,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type { Job, JobSpec } from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { selectorMatches, validateLabelSelector } from '../../../meta/label-selector.js';
import { isDeepEqual } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validatePodTemplate } from '../../../core/v1/pod-template/pod-template.validation.js';
import {
  validateFailurePolicy,
  validateReplacement,
  validateSuccessPolicy,
} from './job-policies.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_INDEXED_PARALLELISM = 100_000;
const MAX_MANAGED_BY = 63;

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function validateRestartPolicy(spec: JobSpec, path: Path): FieldError[] {
  const at = path.child('template', 'spec', 'restartPolicy');
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === 'Always' || policy === '') {
    return [required(at, 'valid values: "OnFailure", "Never"')];
  }
  if (policy !== 'OnFailure' && policy !== 'Never') {
    return [notSupported(at, policy, ['Never', 'OnFailure'])];
  }
  const text = 'only "Never" is supported when podFailurePolicy is specified';
  return when(Boolean(spec.podFailurePolicy) && policy !== 'Never', invalid(at, policy, text));
}

function validateManagedBy(spec: JobSpec, path: Path): FieldError[] {
  const at = path.child('managedBy');
  return given(spec.managedBy, (name) => {
    const [domain = '', ...rest] = name.split('/');
    const isPath = rest.length > 0 && rest.join('/') !== '';
    const text = 'must be a domain-prefixed path (such as "acme.io/foo")';
    return [
      ...(isPath ? check(dnsSubdomain, domain, at) : [invalid(at, name, text)]),
      ...when(name.length > MAX_MANAGED_BY, tooLong(at, MAX_MANAGED_BY)),
    ];
  });
}

const INDEXED_ONLY = ['backoffLimitPerIndex', 'maxFailedIndexes'] as const;

function validateIndexed(spec: JobSpec, path: Path): FieldError[] {
  const findings = given(spec.completionMode, (mode) =>
    when(
      mode !== 'NonIndexed' && mode !== 'Indexed',
      notSupported(path.child('completionMode'), mode, ['Indexed', 'NonIndexed']),
    ),
  );
  if (spec.completionMode !== 'Indexed') {
    const misplaced = INDEXED_ONLY.filter((field) => !isAbsent(spec[field])).map((field) =>
      invalid(path.child(field), spec[field], 'requires indexed completion mode'),
    );
    return [...findings, ...misplaced];
  }
  const parallelism = spec.parallelism ?? 0;
  const text = `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`;
  return [
    ...findings,
    ...when(
      isAbsent(spec.completions),
      required(path.child('completions'), 'when completion mode is Indexed'),
    ),
    ...when(
      parallelism > MAX_INDEXED_PARALLELISM,
      invalid(path.child('parallelism'), parallelism, text),
    ),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:validateJobSpec; also for the template of a CronJob. */
export function validateJobSpec(spec: JobSpec | undefined, path: Path): FieldError[] {
  if (!spec) return [required(path)];
  return [
    ...COUNTS.flatMap((field) => nonNegative(spec[field], path.child(field))),
    ...when(
      !isAbsent(spec.maxFailedIndexes) && isAbsent(spec.backoffLimitPerIndex),
      required(path.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'),
    ),
    ...validateManagedBy(spec, path),
    ...validateIndexed(spec, path),
    ...validateFailurePolicy(spec, path),
    ...validateSuccessPolicy(spec, path),
    ...validateReplacement(spec, path),
    ...validatePodTemplate(spec.template, path.child('template')),
    ...validateRestartPolicy(spec, path),
  ];
}

/** The pods of an indexed job have host names made of its name and their index. */
function validateHostNames({ metadata, spec }: Job): FieldError[] {
  const completions = spec?.completions ?? 0;
  if (spec?.completionMode !== 'Indexed' || completions <= 0) return [];
  const host = `${metadata.name ?? ''}-${completions - 1}`;
  const text = `will not able to create pod with invalid DNS label: ${host}`;
  return when(
    dnsLabel(host).length > 0,
    invalid(FieldPath.of('metadata', 'name'), metadata.name, text),
  );
}

/** k8s pkg/apis/batch/validation/validation.go:ValidateJob. */
export function validateJob(job: Job): FieldError[] {
  const { spec } = job;
  const at = SPEC.child('selector');
  const selector = spec?.selector ?? undefined;
  const found = selector ? validateLabelSelector(selector, at) : [];
  return [
    ...validateHostNames(job),
    ...(selector ? found : [required(at)]),
    // No selector selects nothing; of one that cannot be nothing more is told.
    ...(found.length === 0 && !selectorMatches(selector, spec?.template?.metadata?.labels)
      ? [
          invalid(
            SPEC.child('template', 'metadata', 'labels'),
            spec?.template?.metadata?.labels ?? {},
            '`selector` does not match template `labels`',
          ),
        ]
      : []),
    ...validateJobSpec(spec, SPEC),
  ];
}

/** While a job is suspended and has not started, scheduling directives of its template may change (KEP-2926). */
function templateWithoutDirectives(spec: JobSpec): unknown {
  const template = cloneJson(spec.template ?? {});
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
