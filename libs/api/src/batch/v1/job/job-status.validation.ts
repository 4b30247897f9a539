import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { Job } from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';

const STATUS = FieldPath.of('status');
const FINAL = ['Complete', 'Failed'];
const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;

const has = (job: Job, type: string): boolean =>
  list(job.status?.conditions).some((each) => each.type === type && each.status === 'True');

/** A job that has ended keeps the condition that says so. */
function validateConditions(job: Job, old: Job): FieldError[] {
  const path = STATUS.child('conditions');
  const lost = FINAL.filter((type) => has(old, type) && !has(job, type));
  return [
    ...lost.map((type) =>
      invalid(path, job.status?.conditions, `cannot disable the terminal ${type}=True condition`),
    ),
    ...when(
      has(job, 'Complete') && has(job, 'Failed'),
      invalid(path, job.status?.conditions, 'cannot set Complete=True and Failed=true conditions'),
    ),
  ];
}

function validateTimes(job: Job): FieldError[] {
  const path = STATUS.child('completionTime');
  const { startTime, completionTime } = job.status ?? {};
  const isComplete = has(job, 'Complete');
  return [
    ...when(
      isComplete && !completionTime,
      required(path, 'completionTime is required for Complete jobs'),
    ),
    ...when(
      !isComplete && Boolean(completionTime),
      invalid(
        path,
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
    ),
    ...when(
      Boolean(startTime && completionTime) &&
        Date.parse(completionTime ?? '') < Date.parse(startTime ?? ''),
      invalid(path, completionTime, 'completionTime cannot be set before startTime'),
    ),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:ValidateJobUpdateStatus. */
export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const isOver = FINAL.some((type) => has(job, type));
  const active = job.status?.active ?? 0;
  return [
    ...COUNTS.flatMap((field) => nonNegative(job.status?.[field], STATUS.child(field))),
    ...when(
      isOver && active > 0,
      invalid(STATUS.child('active'), active, 'active>0 is invalid for finished job'),
    ),
    ...when(
      isOver && !job.status?.startTime,
      required(STATUS.child('startTime'), 'startTime is required for finished job'),
    ),
    ...validateConditions(job, old),
    ...validateTimes(job),
  ];
}
