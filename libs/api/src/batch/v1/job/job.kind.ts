import type { Job } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { jobColumns } from './job.columns.js';
import { setJobDefaults } from './job.defaults.js';
import { validateJob, validateJobUpdate } from './job.validation.js';

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
const JOB_NAME = 'batch.kubernetes.io/job-name';

/** k8s pkg/registry/batch/job/strategy.go:generateSelector: a job selects its own pods by its uid. */
function generateSelector({ metadata, spec }: Job): void {
  if (!spec?.template || spec.manualSelector) return;
  const uid = metadata.uid ?? '';
  const name = metadata.name ?? '';
  spec.template.metadata ??= {};
  spec.template.metadata.labels = {
    ...spec.template.metadata.labels,
    'controller-uid': uid,
    'job-name': name,
    [CONTROLLER_UID]: uid,
    [JOB_NAME]: name,
  };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels, [CONTROLLER_UID]: uid };
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
    checkUpdate: validateJobUpdate,
  }),
  status: statusStrategyOf<Job>(),
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: jobColumns,
  hasGeneration: true,
});
