import { FieldPath } from '@orrery/apimachinery';
import type { CronJob } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import {
  fillTemplate,
  setPodTemplateDefaults,
} from '../../../core/v1/pod-template/pod-template.defaults.js';
import { containerImages, containerNames, formatSelector } from '../../../table/cells.js';
import { ageColumn, column, count, nameColumn, table, wide } from '../../../table/columns.js';
import { ageOf } from '../../../table/human-duration.js';
import { templateHooks } from '../../../apps/v1/workload/template-fields.js';
import { jobSpecWarnings, nameWarnings } from '../job/job-warnings.js';
import { setFailurePolicyDefaults } from '../job/job.defaults.js';
import { validateCronJob, validateLength } from './cronjob.validation.js';

const SPEC = FieldPath.of('spec');

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
  setFailurePolicyDefaults(spec.jobTemplate.spec);
}

function cronJobWarnings({ metadata, spec }: CronJob, old?: CronJob): string[] {
  const hasZone = old !== undefined && String(spec?.schedule ?? '').includes('TZ');
  return [
    ...(old ? [] : nameWarnings(metadata.name)),
    ...(old && isDeepEqual(spec, old.spec)
      ? []
      : jobSpecWarnings(spec?.jobTemplate?.spec, SPEC.child('jobTemplate', 'spec'))),
    // The path is upstream's (k8s pkg/registry/batch/cronjob/strategy.go:WarningsOnUpdate).
    ...(hasZone
      ? [
          'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
        ]
      : []),
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
    ...templateHooks(({ spec }) => spec?.jobTemplate?.spec?.template),
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    checkCreate: (cronJob) => [...validateCronJob(cronJob), ...validateLength(cronJob)],
    checkUpdate: validateCronJob,
    warnings: cronJobWarnings,
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
