import type { Job, Pod } from '@orrery/api';
import { formatIndexes, parseIndexes } from './completion-indexes.js';
import { failsIndex, isSucceededBy } from './index-failures.js';
import { countsByIndex, indexOf, isFailed, isIndexed, isTracked } from './job-pods.js';
import { judgeFailure } from './pod-failure-policy.js';

/**
 * How ends are kept from being counted twice, or never. `tracked`: by finalizers and the uids in the status.
 * `present`: not at all, as before 1.23 — what counts is the pods that are there.
 */
export type Counting = 'tracked' | 'present';

export interface Tally {
  /** Ends that are in the counters for good: their pods are no longer tracked. */
  readonly counted: { readonly succeeded: number; readonly failed: number };
  /** Uids of ends that are known but whose pods are still tracked. */
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** All ends. */
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  /** Indexes that may not fail again; empty unless failures are counted by index. */
  readonly failedIndexes: ReadonlySet<number>;
  /** Ended pods to be released once the status that names them is stored. */
  readonly release: readonly Pod[];
  /** Why the pod failure policy fails the job. */
  readonly failJob: string | undefined;
}

class Counter {
  readonly succeeded: Set<string>;
  readonly failed: Set<string>;
  readonly indexes: Set<number>;
  readonly failedIndexes: Set<number>;
  readonly release: Pod[] = [];
  failJob: string | undefined;

  constructor(
    private readonly job: Job,
    private readonly pods: readonly Pod[],
    tracked: ReadonlySet<string>,
    /** Failures that a later pod of their index has to know of stay with their pods until it is there. */
    private readonly delays: boolean,
  ) {
    const { uncountedTerminatedPods: stored, completedIndexes = '' } = job.status ?? {};
    const still = (uid: string): boolean => tracked.has(uid);
    this.succeeded = new Set(stored?.succeeded?.filter(still));
    this.failed = new Set(stored?.failed?.filter(still));
    const completions = job.spec?.completions ?? 0;
    this.indexes = parseIndexes(completedIndexes, completions);
    this.failedIndexes = parseIndexes(job.status?.failedIndexes ?? '', completions);
  }

  add(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (pod.status?.phase === 'Succeeded' && !this.failed.has(uid)) this.#succeed(pod, uid);
    else if (isFailed(this.job, pod)) this.#fail(pod, uid);
  }

  #succeed(pod: Pod, uid: string): void {
    this.release.push(pod);
    if (!isIndexed(this.job)) {
      this.succeeded.add(uid);
      return;
    }
    // The index alone keeps an indexed end from being counted twice.
    const index = indexOf(this.job, pod);
    if (index !== undefined) this.indexes.add(index);
  }

  #fail(pod: Pod, uid: string): void {
    const { action, message } = judgeFailure(this.job, pod);
    if (action === 'FailJob') this.failJob ??= message;
    if (this.#waits(pod)) return;
    this.release.push(pod);
    if (action === 'Ignore' || (isIndexed(this.job) && indexOf(this.job, pod) === undefined))
      return;
    this.failed.add(uid);
  }

  /** Whether the end of this pod is not counted yet, since the next pod of its index has to learn of it. */
  #waits(pod: Pod): boolean {
    const index = indexOf(this.job, pod);
    if (!countsByIndex(this.job) || index === undefined) return false;
    if (failsIndex(this.job, pod) && !this.indexes.has(index)) this.failedIndexes.add(index);
    if (!this.delays || this.failedIndexes.has(index) || this.indexes.has(index)) return false;
    return !isSucceededBy(this.job, pod, this.pods);
  }
}

/**
 * Pure: the ends of a job's pods, none counted twice. An end is first named in the status by its pod's uid; then the
 * pod is released from its finalizer; only then does it enter the counters and the uid is dropped
 * (k8s pkg/controller/job/job_controller.go: trackJobStatusAndRemoveFinalizers).
 */
export function tallyJob(
  job: Job,
  pods: readonly Pod[],
  { delays = true, counting = 'tracked' }: TallyOptions = {},
): Tally {
  if (counting === 'present') return tallyPresent(job, pods);
  const tracked = pods.filter(isTracked);
  const uids = new Set(tracked.map((pod) => pod.metadata.uid ?? ''));
  const counter = new Counter(job, pods, uids, delays);
  for (const pod of tracked) counter.add(pod);
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: stored } = job.status ?? {};
  const released = (names: readonly string[] = []): number =>
    names.filter((uid) => !uids.has(uid)).length;
  const counted = {
    succeeded: isIndexed(job) ? counter.indexes.size : succeeded + released(stored?.succeeded),
    failed: failed + released(stored?.failed),
  };
  return {
    counted,
    uncounted: { succeeded: [...counter.succeeded], failed: [...counter.failed] },
    succeeded: counted.succeeded + counter.succeeded.size,
    failed: counted.failed + counter.failed.size,
    completedIndexes: counter.indexes,
    failedIndexes: counter.failedIndexes,
    release: counter.release,
    failJob: counter.failJob,
  };
}

interface TallyOptions {
  readonly delays?: boolean;
  readonly counting?: Counting;
}

/** Pure: the ends of the pods that are there (k8s 1.20.2 pkg/controller/job/job_controller.go: getStatus). */
function tallyPresent(job: Job, pods: readonly Pod[]): Tally {
  const counter = new Counter(job, pods, new Set(), false);
  for (const pod of pods) counter.add(pod);
  const counted = {
    succeeded: isIndexed(job) ? counter.indexes.size : counter.succeeded.size,
    failed: counter.failed.size,
  };
  return {
    counted,
    ...counted,
    uncounted: { succeeded: [], failed: [] },
    completedIndexes: counter.indexes,
    failedIndexes: counter.failedIndexes,
    release: [],
    failJob: counter.failJob,
  };
}

export const indexesText = ({ completedIndexes }: Tally): string => formatIndexes(completedIndexes);

export const failedIndexesText = ({ failedIndexes }: Tally): string => formatIndexes(failedIndexes);
