import { FieldPath } from '@orrery/apimachinery';
import type { Job } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { templateHooks } from '../../../apps/v1/workload/template-fields.js';
import { jobColumns } from './job.columns.js';
import { setJobDefaults } from './job.defaults.js';
import { generateSelector } from './job-selector.js';
import { validateJobStatus } from './job-status.validation.js';
import { jobSpecWarnings, nameWarnings } from './job-warnings.js';
import { validateJob } from './job.validation.js';
import { validateJobUpdate } from './job-update.validation.js';

const SPEC = FieldPath.of('spec');

const jobWarnings = ({ metadata, spec }: Job, old?: Job): string[] => [
  ...(old ? [] : nameWarnings(metadata.name)),
  ...(old && isDeepEqual(spec, old.spec) ? [] : jobSpecWarnings(spec, SPEC)),
];

const template = templateHooks<Job>(({ spec }) => spec?.template);

export const JobKind = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setJobDefaults,
  // As clients of old expect of this version (k8s pkg/registry/batch/job/strategy.go:DefaultGarbageCollectionPolicy).
  garbage: {
    byDefault: 'Orphan',
    warning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  },
  strategy: strategyOf<Job>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    prepareForCreate(job) {
      generateSelector(job);
      template.prepareForCreate(job);
    },
    prepareForUpdate: (job, old) => template.prepareForUpdate(job, old),
    checkCreate: (job) => validateJob(job),
    checkUpdate: validateJobUpdate,
    warnings: jobWarnings,
  }),
  status: statusStrategyOf<Job>(validateJobStatus),
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: jobColumns,
  hasGeneration: true,
});
