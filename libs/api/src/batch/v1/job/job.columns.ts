import type { Job } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { containerImages, containerNames, formatSelector } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';
import { humanDuration } from '../../../table/human-duration.js';

const has = (job: Job, type: string): boolean =>
  list(job.status?.conditions).some((c) => c.type === type && c.status === 'True');

function statusText(job: Job): string {
  if (has(job, 'Complete')) return 'Complete';
  if (has(job, 'Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) {
    if (has(job, type)) return type;
  }
  return 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  const completions = spec?.completions ?? undefined;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, now: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

export const jobColumns = table<Job>([
  nameColumn,
  column('Status', statusText),
  column('Completions', completionsText),
  column('Duration', durationText),
  ageColumn,
  wide('Containers', ({ spec }) => containerNames(spec?.template)),
  wide('Images', ({ spec }) => containerImages(spec?.template)),
  wide('Selector', ({ spec }) => formatSelector(spec?.selector)),
]);
