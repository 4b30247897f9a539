import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  byteLength,
  invalid,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type { Job, JobSpec } from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { selectorMatches, validateLabelSelector } from '../../../meta/label-selector.js';
import { dnsLabel, domainPrefixedPath } from '../../../meta/names.js';
import { validatePodTemplate } from '../../../core/v1/pod-template/pod-template.validation.js';
import {
  validateFailurePolicy,
  validateReplacement,
  validateSuccessPolicy,
} from './job-policies.validation.js';
import { validateGenerated } from './job-selector.js';

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
    return [notSupported(at, policy, ['OnFailure', 'Never'], 'as given')];
  }
  const text = 'only "Never" is supported when podFailurePolicy is specified';
  return when(Boolean(spec.podFailurePolicy) && policy !== 'Never', invalid(at, policy, text));
}

const validateManagedBy = (spec: JobSpec, path: Path): FieldError[] =>
  given(spec.managedBy, (name) => [
    ...domainPrefixedPath(name, path.child('managedBy')),
    ...when(byteLength(name) > MAX_MANAGED_BY, tooLong(path.child('managedBy'), MAX_MANAGED_BY)),
  ]);

/** Above this many completions a job with a limit per index must bound what its status says of failures. */
const MANY_COMPLETIONS = 100_000;
const MAX_FAILED_INDEXES = 100_000;
/** The bounds of parallelism and of failed indexes above {@link MANY_COMPLETIONS}. */
const MAX_OF_MANY = 10_000;
const NOT_ABOVE = 'must be less than or equal to';

function validateManyIndexes(spec: JobSpec, path: Path): FieldError[] {
  const isMany = (spec.completions ?? 0) > MANY_COMPLETIONS;
  if (!isMany || isAbsent(spec.backoffLimitPerIndex)) return [];
  const when10k = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  const bounded = (field: 'parallelism' | 'maxFailedIndexes'): FieldError[] =>
    when(
      (spec[field] ?? 0) > MAX_OF_MANY,
      invalid(path.child(field), spec[field], `${NOT_ABOVE} ${MAX_OF_MANY} ${when10k}`),
    );
  return [
    ...when(
      isAbsent(spec.maxFailedIndexes),
      required(
        path.child('maxFailedIndexes'),
        `must be specified when completions is above ${MANY_COMPLETIONS}`,
      ),
    ),
    ...bounded('parallelism'),
    ...bounded('maxFailedIndexes'),
  ];
}

function validateIndexed(spec: JobSpec, path: Path): FieldError[] {
  const parallelism = spec.parallelism ?? 0;
  const failures = spec.maxFailedIndexes ?? 0;
  const at = path.child('maxFailedIndexes');
  const bound = `${NOT_ABOVE} ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`;
  return [
    ...when(
      isAbsent(spec.completions),
      required(path.child('completions'), 'when completion mode is Indexed'),
    ),
    ...when(
      parallelism > MAX_INDEXED_PARALLELISM,
      invalid(path.child('parallelism'), parallelism, bound),
    ),
    ...when(
      failures > (spec.completions ?? Infinity),
      invalid(at, failures, `${NOT_ABOVE} completions`),
    ),
    ...when(
      failures > MAX_FAILED_INDEXES,
      invalid(at, failures, `${NOT_ABOVE} ${MAX_FAILED_INDEXES}`),
    ),
    ...validateManyIndexes(spec, path),
  ];
}

const INDEXED_ONLY = ['backoffLimitPerIndex', 'maxFailedIndexes'] as const;
const MODES = ['NonIndexed', 'Indexed'] as const;

function validateMode(spec: JobSpec, path: Path): FieldError[] {
  const { completionMode } = spec;
  if (completionMode === 'Indexed') return validateIndexed(spec, path);
  const at = path.child('completionMode');
  if (!isAbsent(completionMode) && completionMode !== 'NonIndexed') {
    return [notSupported(at, completionMode, MODES, 'as given')];
  }
  return INDEXED_ONLY.filter((field) => !isAbsent(spec[field])).map((field) =>
    invalid(path.child(field), spec[field], 'requires indexed completion mode'),
  );
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
    ...validateMode(spec, path),
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

/** k8s pkg/apis/batch/validation/validation.go:ValidateJob; `old` of an update. */
export function validateJob(job: Job, old?: Job): FieldError[] {
  const { spec } = job;
  const at = SPEC.child('selector');
  const selector = spec?.selector ?? undefined;
  const found = selector ? validateLabelSelector(selector, at) : [];
  return [
    ...validateGenerated(job, old),
    ...validateJobSpec(spec, SPEC),
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
    ...validateHostNames(job),
  ];
}
