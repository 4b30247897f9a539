import { controllerOf } from '@orrery/apimachinery';
import type { Job, Pod } from '@orrery/api';
import type { IndexFunction } from '@orrery/informers';
import { isTerminated, podCondition } from '../../pods/pod-state.js';

/** Keeps a pod that ended until its job has counted it. */
export const TRACKING = 'batch.kubernetes.io/job-tracking';
export const INDEX_KEY = 'batch.kubernetes.io/job-completion-index';
/** Failures of a pod's index before it, counted and ignored ones (k8s pkg/controller/job/indexed_job_utils.go). */
export const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
export const IGNORED_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';
const JOB_NAME = 'batch.kubernetes.io/job-name';

export const isTracked = (pod: Pod): boolean =>
  pod.metadata.finalizers?.includes(TRACKING) ?? false;
/** Each index has failures of its own. */
export const countsByIndex = ({ spec }: Job): boolean => spec?.backoffLimitPerIndex !== undefined;
export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed';

/** Pods are replaced only once they have failed, not when they begin to go. */
export const replacesFailedOnly = ({ spec }: Job): boolean =>
  spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined;

/** A pod that is being deleted fails, since it may never say so (k8s pkg/controller/job: isPodFailed). */
export function isFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesFailedOnly(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

export const isLeaving = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && !isTerminated(pod);

/** The index of a pod of an indexed job; undefined when it has none that counts. */
export function indexOf(job: Job, pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_KEY] ?? '';
  const index = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return index < (job.spec?.completions ?? 0) ? index : undefined;
}

/** The job that a pod belongs to, or did before it was orphaned. */
export function jobNameOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  if (owner) return owner.kind === 'Job' ? owner.name : undefined;
  return isTracked(pod) ? pod.metadata.labels?.[JOB_NAME] : undefined;
}

/** Index of the pods that wait to be counted, by `<namespace>/<job>`. */
export const TRACKED_BY_JOB = 'tracked-by-job';

export const byJob: IndexFunction<Pod> = (pod) => {
  const name = isTracked(pod) ? jobNameOf(pod) : undefined;
  return name ? [`${pod.metadata.namespace ?? ''}/${name}`] : [];
};

/** When a pod ended, in ms since the epoch: its last container, or else the sign nearest to it. */
export function finishedAt(pod: Pod): number | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const ends = [...containerStatuses, ...initContainerStatuses]
    .map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
    .filter((at) => !Number.isNaN(at));
  if (ends.length > 0) return Math.max(...ends);
  const { deletionTimestamp } = pod.metadata;
  const sign = deletionTimestamp ?? podCondition(pod, 'Ready')?.lastTransitionTime;
  return sign === undefined ? undefined : Date.parse(sign);
}

function failureAnnotations(job: Job, failures?: IndexFailures): Record<string, string> {
  if (!countsByIndex(job)) return {};
  const { counted = 0, ignored = 0 } = failures ?? {};
  return {
    [FAILURE_COUNT]: String(counted),
    ...(ignored > 0 ? { [IGNORED_COUNT]: String(ignored) } : {}),
  };
}

/** Failures of an index before its next pod. */
export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

/** Keeps the pod from going before its end is counted. Mutates. */
export function track(pod: Pod): void {
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), TRACKING];
}

/** Gives a pod of an indexed job its index. Mutates. */
export function giveIndex(
  pod: Pod,
  job: Job,
  index: number | undefined,
  failures?: IndexFailures,
): void {
  if (index === undefined) return;
  const jobName = job.metadata.name ?? '';
  const text = String(index);
  pod.metadata.generateName = `${`${jobName}-${text}`.slice(0, 56)}-`;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [INDEX_KEY]: text,
    ...failureAnnotations(job, failures),
  };
  pod.metadata.labels = { ...pod.metadata.labels, [INDEX_KEY]: text };
  const { spec } = pod;
  if (!spec) return;
  spec.hostname = `${jobName}-${text}`;
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    if (container.env?.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) continue;
    const fieldRef = { fieldPath: `metadata.labels['${INDEX_KEY}']` };
    container.env = [
      ...(container.env ?? []),
      { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } },
    ];
  }
}
