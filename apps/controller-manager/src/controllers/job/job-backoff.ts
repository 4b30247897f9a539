import type { Job, Pod } from '@orrery/api';
import { finishedAt, isFailed } from './job-pods.js';

const FIRST_MS = 10_000;
const MAX_MS = 600_000;

/** How long new pods must wait after failures since the last success (k8s pkg/controller/job/backoff_utils.go). */
export function backoffMs(job: Job, pods: readonly Pod[], now: number): number {
  const at = (pod: Pod): number => finishedAt(pod) ?? now;
  const succeeded = pods.filter((pod) => pod.status?.phase === 'Succeeded').map(at);
  const since = Math.max(0, ...succeeded);
  const failures = pods
    .filter((pod) => isFailed(job, pod))
    .map(at)
    .filter((time) => time > since);
  if (failures.length === 0) return 0;
  const wait = Math.min(FIRST_MS * 2 ** (failures.length - 1), MAX_MS);
  return Math.max(Math.max(...failures) + wait - now, 0);
}

/** Restarts of containers count as failures where pods restart them (k8s job_controller.go: pastBackoffLimitOnFailure). */
export function isPastRestarts(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}
