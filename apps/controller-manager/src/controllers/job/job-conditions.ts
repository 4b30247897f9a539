import type { Job, JobCondition, Pod } from '@orrery/api';
import { toTime } from '@orrery/component';
import { withCondition } from '../../pods/conditions.js';
import { parseIndexes } from './completion-indexes.js';
import { isPastRestarts } from './job-backoff.js';
import type { Tally } from './job-tally.js';

/** How a job ends: announced by one condition at once, said by another when all its pods are gone. */
export interface Ending {
  readonly announced: 'SuccessCriteriaMet' | 'FailureTarget';
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export const hasCondition = (job: Job, type: string): boolean =>
  job.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;

export const isFinished = (job: Job): boolean =>
  hasCondition(job, 'Complete') || hasCondition(job, 'Failed');

const failure = (reason: string, message: string): Ending => ({
  announced: 'FailureTarget',
  type: 'Failed',
  reason,
  message,
});

function announcedEnding(job: Job): Ending | undefined {
  const met = job.status?.conditions?.find(
    ({ type, status }) =>
      status === 'True' && (type === 'FailureTarget' || type === 'SuccessCriteriaMet'),
  );
  if (!met) return undefined;
  const { reason = '', message = '' } = met;
  if (met.type === 'FailureTarget') return failure(reason, message);
  return { announced: 'SuccessCriteriaMet', type: 'Complete', reason, message };
}

/** How long a job may still run; undefined without a deadline. */
export function untilDeadlineMs({ spec, status }: Job, now: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || !status?.startTime || spec.suspend)
    return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now;
}

function hasSucceeded({ spec }: Job, tally: Tally, active: number): boolean {
  if (spec?.completions === undefined) return tally.succeeded > 0 && active === 0;
  return tally.succeeded >= spec.completions;
}

/** Pure: whether the job is to end, and why. */
export function endingOf(
  job: Job,
  tally: Tally,
  active: readonly Pod[],
  now: number,
): Ending | undefined {
  const announced = announcedEnding(job);
  if (announced) return announced;
  if (tally.failJob) return failure('PodFailurePolicy', tally.failJob);
  if (tally.failed > (job.spec?.backoffLimit ?? 6) || isPastRestarts(job, active))
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if ((untilDeadlineMs(job, now) ?? 1) <= 0)
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
  return endingByIndexes(job, tally, active.length) ?? endingBySuccess(job, tally, active.length);
}

const success = (reason: string, message: string): Ending => ({
  announced: 'SuccessCriteriaMet',
  type: 'Complete',
  reason,
  message,
});

/** Ends of a job whose indexes fail by themselves. */
function endingByIndexes({ spec }: Job, tally: Tally, active: number): Ending | undefined {
  const failed = tally.failedIndexes.size;
  if (failed === 0) return undefined;
  if (spec?.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes)
    return failure(
      'MaxFailedIndexesExceeded',
      'Job has exceeded the specified maximal number of failed indexes',
    );
  const isOver = tally.succeeded + failed >= (spec?.completions ?? 0) && active === 0;
  return isOver ? failure('FailedIndexes', 'Job has failed indexes') : undefined;
}

function endingBySuccess(job: Job, tally: Tally, active: number): Ending | undefined {
  const rule = metSuccessRule(job, tally.completedIndexes);
  if (rule !== undefined) return success('SuccessPolicy', `Matched rules at index ${rule}`);
  if (!hasSucceeded(job, tally, active)) return undefined;
  return success('CompletionsReached', 'Reached expected number of succeeded pods');
}

/** The first rule of the success policy that the indexes meet (k8s pkg/controller/job/success_policy.go). */
function metSuccessRule({ spec }: Job, completed: ReadonlySet<number>): number | undefined {
  const rules = spec?.successPolicy?.rules ?? [];
  const met = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return completed.size >= (succeededCount ?? Infinity);
    const wanted = parseIndexes(succeededIndexes, spec?.completions ?? 0);
    const found = [...wanted].filter((index) => completed.has(index)).length;
    return found >= (succeededCount ?? wanted.size);
  });
  return met < 0 ? undefined : met;
}

export interface ConditionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface JobConditions {
  readonly conditions: readonly JobCondition[];
  readonly events: readonly ConditionEvent[];
}

/** Pure: the conditions with the ending, if there is one, and with suspension. */
export function conditionsOf(
  job: Job,
  ending: Ending | undefined,
  settled: boolean,
  now: number,
): JobConditions {
  const at = toTime(now);
  const events: ConditionEvent[] = [];
  let conditions: readonly JobCondition[] = job.status?.conditions ?? [];
  const set = (type: string, status: string, reason: string, message: string): void => {
    const next = { type, status, reason, message, lastProbeTime: at, lastTransitionTime: at };
    conditions = withCondition(conditions, next);
  };
  if (ending) {
    const { announced, type, reason, message } = ending;
    set(announced, 'True', reason, message);
    if (!settled) return { conditions, events };
    set(type, 'True', reason, message);
    if (type === 'Failed') events.push({ type: 'Warning', reason, message });
    else events.push({ type: 'Normal', reason: 'Completed', message: 'Job completed' });
    return { conditions, events };
  }
  const wasSuspended = hasCondition(job, 'Suspended');
  if (job.spec?.suspend && !wasSuspended) {
    set('Suspended', 'True', 'JobSuspended', 'Job suspended');
    events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' });
  } else if (!job.spec?.suspend && wasSuspended) {
    set('Suspended', 'False', 'JobResumed', 'Job resumed');
    events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
  }
  return { conditions, events };
}
