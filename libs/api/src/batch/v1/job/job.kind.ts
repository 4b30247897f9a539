import { FieldPath } from '@orrery/apimachinery';
import type { Job } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual } from '../../../meta/list.js';
import { dnsLabel } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { podWarnings } from '../../../core/v1/pod-warnings/pod-warnings.js';
import { jobColumns } from './job.columns.js';
import { setJobDefaults } from './job.defaults.js';
import { generateSelector, validateGenerated } from './job-selector.js';
import { validateJobStatus } from './job-status.validation.js';
import { validateJob, validateJobUpdate } from './job.validation.js';

function jobWarnings({ metadata, spec }: Job, old?: Job): string[] {
  if (old && isDeepEqual(spec, old.spec)) return [];
  const faults = old ? [] : dnsLabel(metadata.name ?? '');
  const named =
    faults.length > 0
      ? [
          `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults.join(' ')}]`,
        ]
      : [];
  return [...named, ...podWarnings(spec?.template, FieldPath.of('spec', 'template'))];
}

export const JobKind = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setJobDefaults,
  strategy: strategyOf<Job>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    prepareForCreate: generateSelector,
    check: validateJob,
    checkCreate: (job) => validateGenerated(job),
    checkUpdate: (job, old) => [...validateGenerated(job, old), ...validateJobUpdate(job, old)],
    warnings: jobWarnings,
  }),
  status: statusStrategyOf<Job>(validateJobStatus),
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: jobColumns,
  hasGeneration: true,
});
