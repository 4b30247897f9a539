import type { Job, Pod } from '@orrery/api';
import { FAILURE_COUNT, IGNORED_COUNT, finishedAt, indexOf, isFailed } from './job-pods.js';
import type { IndexFailures } from './job-pods.js';
import { judgeFailure } from './pod-failure-policy.js';

/** What is known of an index that failed and may be tried again. */
export interface IndexHistory extends IndexFailures {
  /** The pod whose annotations say it: it is kept until the next pod of the index is there. */
  readonly last: Pod;
}

const numberOf = ({ metadata }: Pod, name: string): number =>
  Number(metadata.annotations?.[name] ?? 0) || 0;

/** Failures of its index up to and with this pod. */
export function failuresWith(job: Job, pod: Pod): IndexFailures {
  const counted = numberOf(pod, FAILURE_COUNT);
  const ignored = numberOf(pod, IGNORED_COUNT);
  if (judgeFailure(job, pod).action === 'Ignore') return { counted, ignored: ignored + 1 };
  return { counted: counted + 1, ignored };
}

/** Whether the failure of this pod is the last that its index may have. */
export function failsIndex(job: Job, pod: Pod): boolean {
  if (judgeFailure(job, pod).action === 'FailIndex') return true;
  return failuresWith(job, pod).counted > (job.spec?.backoffLimitPerIndex ?? 0);
}

const total = ({ counted, ignored }: IndexFailures): number => counted + ignored;

/** Pure: the newest failure of each index (k8s pkg/controller/job: getPodsWithDelayedDeletionPerIndex). */
export function indexHistories(job: Job, pods: readonly Pod[]): Map<number, IndexHistory> {
  const histories = new Map<number, IndexHistory>();
  for (const pod of pods) {
    const index = indexOf(job, pod);
    if (index === undefined || !isFailed(job, pod)) continue;
    const failures = failuresWith(job, pod);
    const known = histories.get(index);
    if (!known || total(failures) > total(known)) histories.set(index, { ...failures, last: pod });
  }
  return histories;
}

/** Whether a pod of the index is there that knows of this failure. */
export function isSucceededBy(job: Job, failed: Pod, pods: readonly Pod[]): boolean {
  const index = indexOf(job, failed);
  const own = numberOf(failed, FAILURE_COUNT) + numberOf(failed, IGNORED_COUNT);
  return pods.some(
    (pod) =>
      pod !== failed &&
      indexOf(job, pod) === index &&
      numberOf(pod, FAILURE_COUNT) + numberOf(pod, IGNORED_COUNT) > own,
  );
}

const FIRST_MS = 10_000;
const MAX_MS = 600_000;

/** How long the next pod of an index must wait: doubled by each counted failure. */
export function indexBackoffMs({ counted, last }: IndexHistory, now: number): number {
  if (counted === 0) return 0;
  const wait = Math.min(FIRST_MS * 2 ** (counted - 1), MAX_MS);
  return Math.max((finishedAt(last) ?? now) + wait - now, 0);
}
