import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, required } from '@orrery/apimachinery';
import type { KindContext } from '../../../kind.js';
import type { Job, JobStatus } from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { given, omittedValue, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { overlapOf, parseIndexes } from './job-indexes.js';

const STATUS = FieldPath.of('status');
const CONDITIONS = STATUS.child('conditions');
const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;

const is = (job: Job, type: string): boolean =>
  list(job.status?.conditions).some((each) => each.type === type && each.status === 'True');

const isOver = (job: Job): boolean => is(job, 'Complete') || is(job, 'Failed');
const isIndexed = ({ spec }: Job): boolean => spec?.completionMode === 'Indexed';
const statusOf = (job: Job): JobStatus => job.status ?? {};

/**
 * What a write changes. Most rules hold only for what is changed, so that a status that breaks one for a while,
 * as after a change of the spec, can still be written.
 */
interface Changes {
  readonly over: boolean;
  readonly complete: boolean;
  readonly failed: boolean;
  readonly failureTarget: boolean;
  /** True when a field of the status differs. */
  of(...fields: readonly (keyof JobStatus)[]): boolean;
}

function changesOf(job: Job, old: Job): Changes {
  const turned = (test: (job: Job) => boolean): boolean => test(job) !== test(old);
  return {
    over: turned(isOver),
    complete: turned((each) => is(each, 'Complete')),
    failed: turned((each) => is(each, 'Failed')),
    failureTarget: turned((each) => is(each, 'FailureTarget')),
    of: (...fields) =>
      fields.some(
        (field) => !isDeepEqual(job.status?.[field] ?? undefined, old.status?.[field] ?? undefined),
      ),
  };
}

/** Pods that wait to be counted are named once, in one of the two lists. */
function validateUncounted({ uncountedTerminatedPods: uncounted }: JobStatus): FieldError[] {
  const seen = new Set<string>();
  return (['succeeded', 'failed'] as const).flatMap((field) =>
    list(uncounted?.[field]).flatMap((uid, i) => {
      const at = STATUS.child('uncountedTerminatedPods', field).index(i);
      if (!uid) return [invalid(at, '', 'must not be empty')];
      const found = when(seen.has(uid), duplicate(at, uid));
      seen.add(uid);
      return found;
    }),
  );
}

/** What excludes completion. */
function validateExclusion(job: Job, changed: Changes): FieldError[] {
  const rows = [
    { isNew: changed.complete || changed.failed, other: 'Failed' },
    { isNew: changed.complete || changed.failureTarget, other: 'FailureTarget' },
  ];
  return rows.flatMap(({ isNew, other }) =>
    when(
      isNew && is(job, 'Complete') && is(job, other),
      omittedValue(CONDITIONS, `cannot set Complete=True and ${other}=true conditions`),
    ),
  );
}

const isBefore = (time: string | undefined, other: string | undefined): boolean =>
  Boolean(time && other) && Date.parse(time ?? '') < Date.parse(other ?? '');

function validateCompletion(job: Job, changed: Changes): FieldError[] {
  const path = STATUS.child('completionTime');
  const { startTime, completionTime } = statusOf(job);
  const isComplete = is(job, 'Complete');
  const mayBeWrong = changed.complete || changed.of('completionTime');
  const lone = 'cannot set completionTime when there is no Complete=True condition';
  return [
    ...when(
      mayBeWrong && !isComplete && Boolean(completionTime),
      invalid(path, completionTime, lone),
    ),
    ...when(
      mayBeWrong && isComplete && !completionTime,
      required(path, 'completionTime is required for Complete jobs'),
    ),
    ...when(
      changed.of('startTime', 'completionTime') && isBefore(completionTime, startTime),
      invalid(path, completionTime, 'completionTime cannot be set before startTime'),
    ),
  ];
}

/** The condition that announces an end comes before it. Controllers of before 1.31 announce none. */
function validateForerunner(job: Job, changed: Changes): FieldError[] {
  const text = (end: string, before: string): string =>
    `cannot set ${end}=True condition without the ${before}=true condition`;
  const rows = [
    { isNew: changed.failed, end: 'Failed', before: 'FailureTarget' },
    { isNew: changed.complete, end: 'Complete', before: 'SuccessCriteriaMet' },
  ];
  return rows.flatMap(({ isNew, end, before }) =>
    when(isNew && is(job, end) && !is(job, before), omittedValue(CONDITIONS, text(end, before))),
  );
}

/** A job that is over has a start and nothing left to count. */
function validateEnd(job: Job, changed: Changes): FieldError[] {
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods } = statusOf(job);
  const { failed, succeeded } = uncountedTerminatedPods ?? {};
  const left = list(failed).length + list(succeeded).length;
  const waits = 'uncountedTerminatedPods needs to be empty for finished job';
  const counted = (field: 'active' | 'terminating', value: number): FieldError =>
    invalid(STATUS.child(field), value, `${field}>0 is invalid for finished job`);
  const rows: readonly (readonly [keyof JobStatus, boolean, FieldError])[] = [
    ['active', active > 0, counted('active', active)],
    [
      'startTime',
      !startTime,
      required(STATUS.child('startTime'), 'startTime is required for finished job'),
    ],
    [
      'uncountedTerminatedPods',
      left > 0,
      invalid(
        STATUS.child('uncountedTerminatedPods'),
        internalForm(uncountedTerminatedPods ?? {}, 'batch/v1.UncountedTerminatedPods'),
        waits,
      ),
    ],
    ['terminating', terminating > 0, counted('terminating', terminating)],
  ];
  if (!isOver(job)) return [];
  return rows.flatMap(([field, isWrong, found]) =>
    when(isWrong && (changed.over || changed.of(field)), found),
  );
}

function validateCompletedIndexes(job: Job): FieldError[] {
  const path = STATUS.child('completedIndexes');
  const text = statusOf(job).completedIndexes ?? '';
  const { completions } = job.spec ?? {};
  const misplaced = 'cannot set non-empty completedIndexes when non-indexed completion mode';
  return [
    ...given(completions, (limit) =>
      given(parseIndexes(text, limit).problem, (problem) => [
        invalid(path, text, `error parsing completedIndexes: ${problem}`),
      ]),
    ),
    ...when(text !== '' && !isIndexed(job), invalid(path, text, misplaced)),
  ];
}

function validateFailedIndexes(job: Job): FieldError[] {
  const path = STATUS.child('failedIndexes');
  const { completions, backoffLimitPerIndex } = job.spec ?? {};
  const misplaced = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
  return given(statusOf(job).failedIndexes, (text) => {
    if (typeof backoffLimitPerIndex !== 'number') return [invalid(path, text, misplaced)];
    return given(completions, (limit) =>
      given(parseIndexes(text, limit).problem, (problem) => [
        invalid(path, text, `error parsing failedIndexes: ${problem}`),
      ]),
    );
  });
}

function validateOverlap(job: Job): FieldError[] {
  const { completedIndexes, failedIndexes } = statusOf(job);
  const { completions } = job.spec ?? {};
  if (typeof completions !== 'number' || !completedIndexes || !failedIndexes) return [];
  return given(overlapOf(completedIndexes, failedIndexes, completions), (index) => [
    invalid(
      STATUS.child('failedIndexes'),
      failedIndexes,
      `failedIndexes and completedIndexes overlap at index: ${index}`,
    ),
  ]);
}

const validateIndexes = (job: Job, changed: Changes): FieldError[] => [
  ...(changed.of('completedIndexes') ? validateCompletedIndexes(job) : []),
  ...(changed.of('failedIndexes') ? validateFailedIndexes(job) : []),
  ...(changed.of('completedIndexes', 'failedIndexes') ? validateOverlap(job) : []),
];

/** Having met what success asks for excludes failure, and must come before completion. */
function validateSuccess(job: Job): FieldError[] {
  const met = is(job, 'SuccessCriteriaMet');
  const rows: readonly (readonly [boolean, string])[] = [
    [met && is(job, 'Failed'), 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
    [
      met && is(job, 'FailureTarget'),
      'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
    ],
    [
      Boolean(job.spec?.successPolicy) && !met && is(job, 'Complete'),
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
    ],
  ];
  return rows.flatMap(([isWrong, text]) => when(isWrong, omittedValue(CONDITIONS, text)));
}

function validateReady(job: Job, changed: Changes): FieldError[] {
  const { ready = 0, active = 0 } = statusOf(job);
  const text = 'cannot set more ready pods than active';
  return when(
    changed.of('ready', 'active') && ready > active,
    invalid(STATUS.child('ready'), ready, text),
  );
}

/** Ends are for ever, and counters do not go back but where an indexed job may shrink. */
function validateProgress(job: Job, old: Job): FieldError[] {
  const now = statusOf(job);
  const before = statusOf(old);
  const mayShrink = isIndexed(job) && job.spec?.completions === job.spec?.parallelism;
  const fell = (field: 'failed' | 'succeeded'): FieldError[] =>
    when(
      (now[field] ?? 0) < (before[field] ?? 0),
      invalid(STATUS.child(field), now[field] ?? 0, `cannot decrease the ${field} counter`),
    );
  const lost = ['Failed', 'Complete', 'FailureTarget'].filter(
    (type) => is(old, type) && !is(job, type),
  );
  const isMoved =
    Boolean(now.completionTime && before.completionTime) &&
    now.completionTime !== before.completionTime;
  const unstarted = 'startTime cannot be removed for unsuspended job';
  return [
    ...lost.map((type) =>
      omittedValue(CONDITIONS, `cannot disable the terminal ${type}=True condition`),
    ),
    ...fell('failed'),
    ...(mayShrink ? [] : fell('succeeded')),
    ...when(
      isMoved,
      invalid(
        STATUS.child('completionTime'),
        now.completionTime,
        'completionTime cannot be mutated',
      ),
    ),
    ...when(
      Boolean(before.startTime) && now.startTime !== before.startTime && !job.spec?.suspend,
      required(STATUS.child('startTime'), unstarted),
    ),
    ...validateCriteria(job, old),
  ];
}

function validateCriteria(job: Job, old: Job): FieldError[] {
  const [met, wasMet] = [is(job, 'SuccessCriteriaMet'), is(old, 'SuccessCriteriaMet')];
  const late = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions';
  return [
    ...when(
      wasMet && !met,
      omittedValue(CONDITIONS, 'cannot disable the SuccessCriteriaMet=True condition'),
    ),
    ...when(is(old, 'Complete') && !wasMet && met, omittedValue(CONDITIONS, late)),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:ValidateJobUpdateStatus, with the options of 1.36. */
export function validateJobStatus(
  job: Job,
  old: Job,
  { servesRemovedApis = false }: KindContext,
): FieldError[] {
  const changed = changesOf(job, old);
  return [
    ...COUNTS.flatMap((field) => nonNegative(job.status?.[field], STATUS.child(field))),
    ...validateUncounted(statusOf(job)),
    ...validateExclusion(job, changed),
    ...validateCompletion(job, changed),
    ...(servesRemovedApis ? [] : validateForerunner(job, changed)),
    ...validateEnd(job, changed),
    ...validateIndexes(job, changed),
    ...validateReady(job, changed),
    ...validateSuccess(job),
    ...validateProgress(job, old),
  ];
}
