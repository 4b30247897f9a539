import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, byteLength, invalid, notSupported, required } from '@orrery/apimachinery';
import type { CronJob, CronJobSpec } from '../../../types.js';
import { nonNegative, oneOf } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateJobSpec } from '../job/job.validation.js';
import { cronProblem } from './cron-schedule.js';

const SPEC = FieldPath.of('spec');
/** Jobs are named after their CronJob with 11 more characters, and their pods after them. */
const MAX_NAME = 52;

/** Names of zones are names of files, whose case counts; ICU does not care for it. */
const IS_OTHER_CASE = /(?:^|\/)[a-z]|[A-Z]{4}/;

function isTimeZone(name: string): boolean {
  if (name === '' || name === 'UTC' || name === 'Local') return true;
  if (IS_OTHER_CASE.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const NAMED_ZONE = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
const TWO_ZONES = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';

/** A zone within the schedule may stay where one was before 1.29 refused them. */
function validateSchedule(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const path = SPEC.child('schedule');
  const schedule = String(spec.schedule ?? '');
  if (schedule === '') return [required(path)];
  const isLet = String(old?.schedule ?? '').includes('TZ');
  const hasZone = schedule.includes('TZ');
  const hasField = (spec.timeZone ?? null) !== null;
  return [
    ...given(cronProblem(schedule, isTimeZone), (problem) => [invalid(path, schedule, problem)]),
    ...when(hasZone && isLet && hasField, invalid(path, schedule, TWO_ZONES)),
    ...when(hasZone && !isLet, invalid(path, schedule, NAMED_ZONE)),
  ];
}

/** One part of the name of a zone (https://data.iana.org/time-zones/theory.html#naming). */
const IS_ZONE_PART = /^[A-Za-z.\-_0-9+]{1,14}$/;

const isZonePart = (part: string): boolean =>
  part !== '.' && part !== '..' && !part.startsWith('-') && IS_ZONE_PART.test(part);

function validateTimeZone(zone: string): FieldError[] {
  const path = SPEC.child('timeZone');
  if (zone === '') return [invalid(path, zone, 'timeZone must be nil or non-empty string')];
  const unknown = invalid(path, zone, `unknown time zone ${zone}`);
  if (!zone.split('/').every(isZonePart)) return [unknown];
  const local =
    'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
  return [
    ...when(zone.toLowerCase() === 'local', invalid(path, zone, local)),
    ...when(!isTimeZone(zone), unknown),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:ValidateJobTemplateSpec. */
function validateTemplate({ jobTemplate }: CronJobSpec): FieldError[] {
  const template = SPEC.child('jobTemplate', 'spec');
  return [
    ...validateJobSpec(jobTemplate?.spec, template),
    ...given(jobTemplate?.spec?.selector, (selector) => [
      invalid(template.child('selector'), selector, '`selector` will be auto-generated'),
    ]),
    ...when(
      jobTemplate?.spec?.manualSelector === true,
      notSupported(template.child('manualSelector'), true, ['nil', 'false'], 'as given'),
    ),
  ];
}

/** k8s pkg/apis/batch/validation/validation.go:validateCronJobSpec; `old` of an update. */
export function validateCronJob({ spec }: CronJob, old?: CronJob): FieldError[] {
  if (!spec) return [required(SPEC.child('schedule'))];
  const hasNewZone = !old || old.spec?.timeZone !== spec.timeZone;
  return [
    ...validateSchedule(spec, old?.spec),
    ...nonNegative(spec.startingDeadlineSeconds, SPEC.child('startingDeadlineSeconds')),
    ...(hasNewZone ? given(spec.timeZone, validateTimeZone) : []),
    ...oneOf(
      spec.concurrencyPolicy,
      ['Allow', 'Forbid', 'Replace'],
      SPEC.child('concurrencyPolicy'),
    ),
    ...validateTemplate(spec),
    ...nonNegative(spec.successfulJobsHistoryLimit, SPEC.child('successfulJobsHistoryLimit')),
    ...nonNegative(spec.failedJobsHistoryLimit, SPEC.child('failedJobsHistoryLimit')),
  ];
}

/** Only new names are held to it: old ones may be longer. */
export const validateLength = ({ metadata: { name = '' } }: CronJob): FieldError[] =>
  when(
    byteLength(name) > MAX_NAME,
    invalid(FieldPath.of('metadata', 'name'), name, 'must be no more than 52 characters'),
  );
