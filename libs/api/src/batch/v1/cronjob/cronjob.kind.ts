import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, notSupported, required } from '@orrery/apimachinery';
import type { CronJob } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { nonNegative, oneOf } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { dnsSubdomain } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { podWarnings } from '../../../core/v1/pod-warnings/pod-warnings.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { containerImages, containerNames, formatSelector } from '../../../table/cells.js';
import { ageColumn, column, count, nameColumn, table, wide } from '../../../table/columns.js';
import { ageOf } from '../../../table/human-duration.js';
import { validateJobSpec } from '../job/job.validation.js';
import { cronProblem } from './cron-schedule.js';

const SPEC = FieldPath.of('spec');
/** Jobs are named after their CronJob with 11 more characters, and their pods after them. */
const MAX_NAME = 52;

/** k8s pkg/apis/batch/v1/defaults.go:SetDefaults_CronJob. */
export function setCronJobDefaults({ spec }: CronJob): void {
  if (!spec) return;
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.metadata ??= {};
  fillTemplate(spec.jobTemplate);
  setPodTemplateDefaults(spec.jobTemplate.spec?.template);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function validateSchedule(cronJob: CronJob): FieldError[] {
  const path = SPEC.child('schedule');
  const { schedule, timeZone } = cronJob.spec;
  const problem = schedule ? cronProblem(String(schedule)) : undefined;
  const hasZone = /(^|\s)(CRON_)?TZ=/.test(String(schedule ?? ''));
  const findings: FieldError[] = [];
  if (!schedule) findings.push(required(path));
  else if (hasZone) {
    findings.push(
      invalid(path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
    );
  } else if (problem !== undefined) findings.push(invalid(path, schedule, problem));
  return [...findings, ...given(timeZone, validateTimeZone)];
}

function validateTimeZone(zone: string): FieldError[] {
  const path = SPEC.child('timeZone');
  if (zone === '') return [invalid(path, zone, 'timeZone must be nil or non-empty string')];
  if (zone.toLowerCase() === 'local') {
    const text =
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [invalid(path, zone, text)];
  }
  return when(!isTimeZone(String(zone)), invalid(path, zone, `unknown time zone ${zone}`));
}

/** k8s pkg/apis/batch/validation/validation.go:validateCronJobSpec. */
function validate(cronJob: CronJob): FieldError[] {
  const { spec } = cronJob;
  if (!spec) return [required(SPEC.child('schedule'))];
  const template = SPEC.child('jobTemplate', 'spec');
  return [
    ...validateSchedule(cronJob),
    ...nonNegative(spec.startingDeadlineSeconds, SPEC.child('startingDeadlineSeconds')),
    ...oneOf(
      spec.concurrencyPolicy,
      ['Allow', 'Forbid', 'Replace'],
      SPEC.child('concurrencyPolicy'),
    ),
    ...given(spec.jobTemplate?.spec?.selector, (selector) => [
      invalid(template.child('selector'), selector, '`selector` will be auto-generated'),
    ]),
    ...when(
      spec.jobTemplate?.spec?.manualSelector === true,
      notSupported(template.child('manualSelector'), true, ['nil', 'false']),
    ),
    ...validateJobSpec(spec.jobTemplate?.spec, template),
    ...nonNegative(spec.successfulJobsHistoryLimit, SPEC.child('successfulJobsHistoryLimit')),
    ...nonNegative(spec.failedJobsHistoryLimit, SPEC.child('failedJobsHistoryLimit')),
  ];
}

export const CronJobKind = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setCronJobDefaults,
  strategy: strategyOf<CronJob>({
    namespaced: true,
    name: (value) => [
      ...dnsSubdomain(value),
      ...(value.length > MAX_NAME ? ['must be no more than 52 characters'] : []),
    ],
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validate,
    warnings: ({ spec }, old) =>
      old && isDeepEqual(spec, old.spec)
        ? []
        : podWarnings(
            spec?.jobTemplate?.spec?.template,
            SPEC.child('jobTemplate', 'spec', 'template'),
          ),
  }),
  status: statusStrategyOf<CronJob>(),
  columns: table<CronJob>([
    nameColumn,
    column('Schedule', ({ spec }) => spec?.schedule ?? ''),
    column('Timezone', ({ spec }) => spec?.timeZone ?? '<none>'),
    column('Suspend', ({ spec }) => (spec?.suspend ? 'True' : 'False')),
    count('Active', ({ status }) => list(status?.active).length),
    column('Last Schedule', ({ status }, now) =>
      status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    wide('Containers', ({ spec }) => containerNames(spec?.jobTemplate?.spec?.template)),
    wide('Images', ({ spec }) => containerImages(spec?.jobTemplate?.spec?.template)),
    wide('Selector', ({ spec }) => formatSelector(spec?.jobTemplate?.spec?.selector)),
  ]),
  hasGeneration: true,
});
