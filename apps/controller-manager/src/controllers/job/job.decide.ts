import type { Job, JobStatus, Pod } from '@orrery/api';
import { toTime } from '@orrery/component';
import { omitEmpty } from '@orrery/controller';
import { isActive, isReady } from '../../pods/pod-state.js';
import { byDeletionPreference, rankByNode } from '../replicaset/pod-ranking.js';
import { backoffMs } from './job-backoff.js';
import { conditionsOf, endingOf, isFinished, untilDeadlineMs } from './job-conditions.js';
import type { ConditionEvent, Ending } from './job-conditions.js';
import { indexBackoffMs, indexHistories } from './index-failures.js';
import type { IndexHistory } from './index-failures.js';
import {
  countsByIndex,
  indexOf,
  isIndexed,
  isLeaving,
  isTracked,
  replacesFailedOnly,
} from './job-pods.js';
import type { IndexFailures } from './job-pods.js';
import { failedIndexesText, indexesText, tallyJob } from './job-tally.js';
import type { Counting, Tally } from './job-tally.js';

/** Pods created or deleted in one reconcile at most (k8s pkg/controller/job: MaxPodCreateDeletePerSync). */
const MAX_PODS = 500;

export interface JobPlan {
  /** undefined: there is nothing to say. */
  readonly status: JobStatus | undefined;
  readonly events: readonly ConditionEvent[];
  /** Pods to create: the index of each, or undefined for a job without. */
  readonly create: readonly (number | undefined)[];
  /** Earlier failures of indexes, for the pods that are created; empty unless they are counted by index. */
  readonly failures: ReadonlyMap<number, IndexFailures>;
  /** Pods that go and count as failed. */
  readonly remove: readonly Pod[];
  /** Pods that go and do not count. */
  readonly withdraw: readonly Pod[];
  /** Pods to be let go after the status is written. */
  readonly release: readonly Pod[];
  readonly recheckAfterMs: number | undefined;
}

interface Size {
  readonly create: readonly (number | undefined)[];
  readonly withdraw: readonly Pod[];
  /** How long the next index has to wait for its pod. */
  readonly waitMs?: number;
}

interface Situation {
  readonly job: Job;
  readonly tally: Tally;
  readonly active: readonly Pod[];
  readonly leaving: readonly Pod[];
  readonly histories: ReadonlyMap<number, IndexHistory>;
  readonly now: number;
}

function wantedActive({ job, tally, active }: Situation): number {
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  // Of a work queue, one success means that no new pods are needed.
  if (completions === undefined)
    return tally.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  const over = tally.succeeded + tally.failedIndexes.size;
  return Math.min(parallelism, Math.max(completions - over, 0));
}

/** Active pods without an index of their own. */
function surplusOfIndexes({ job, tally, active }: Situation): Pod[] {
  if (!isIndexed(job)) return [];
  const seen = new Set<number>();
  return active.filter((pod) => {
    const index = indexOf(job, pod);
    if (index === undefined || tally.completedIndexes.has(index) || seen.has(index)) return true;
    seen.add(index);
    return false;
  });
}

/** Indexes that may have a pod now, and how long the first of the others has to wait. */
function freeIndexes(
  { job, tally, histories, now }: Situation,
  kept: readonly Pod[],
  count: number,
): { readonly create: readonly number[]; readonly waitMs?: number } {
  const used = new Set([
    ...tally.completedIndexes,
    ...tally.failedIndexes,
    ...kept.map((pod) => indexOf(job, pod)),
  ]);
  const create: number[] = [];
  const waits: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && create.length < count; index++) {
    if (used.has(index)) continue;
    const history = histories.get(index);
    const waitMs = history ? indexBackoffMs(history, now) : 0;
    if (waitMs > 0) waits.push(waitMs);
    else create.push(index);
  }
  return { create, ...(waits.length > 0 ? { waitMs: Math.min(...waits) } : {}) };
}

/** How many pods come or go so that as many run as the job wants. */
function sizeOf(situation: Situation): Size {
  const { job, active, leaving, now } = situation;
  const surplus = surplusOfIndexes(situation);
  const kept = active.filter((pod) => !surplus.includes(pod));
  const wanted = wantedActive(situation);
  if (kept.length > wanted) {
    const order = byDeletionPreference(rankByNode(kept), now);
    const extra = [...kept].sort(order).slice(0, kept.length - wanted);
    return { create: [], withdraw: [...surplus, ...extra].slice(0, MAX_PODS) };
  }
  const waitedFor = replacesFailedOnly(job) ? leaving : [];
  const missing = Math.min(Math.max(wanted - kept.length - waitedFor.length, 0), MAX_PODS);
  if (!isIndexed(job))
    return { create: Array.from({ length: missing }, () => undefined), withdraw: surplus };
  return { ...freeIndexes(situation, [...kept, ...waitedFor], missing), withdraw: surplus };
}

function statusOf(situation: Situation, ending: Ending | undefined, settled: boolean) {
  const { job, tally, active, leaving, now } = situation;
  const { conditions, events } = conditionsOf(job, ending, settled, now);
  const { startTime: started } = job.status ?? {};
  const startTime = job.spec?.suspend && !ending ? undefined : (started ?? toTime(now));
  const { succeeded, failed } = tally.uncounted;
  const status: JobStatus = {
    ready: active.filter(isReady).length,
    terminating: leaving.length,
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 ? { succeeded: [...succeeded] } : {}),
      ...(failed.length > 0 ? { failed: [...failed] } : {}),
    },
    ...omitEmpty({
      active: active.length,
      succeeded: tally.counted.succeeded,
      failed: tally.counted.failed,
      completedIndexes: isIndexed(job) ? indexesText(tally) : undefined,
      startTime,
      completionTime: settled && ending?.type === 'Complete' ? toTime(now) : undefined,
    }),
    ...(countsByIndex(job) ? { failedIndexes: failedIndexesText(tally) } : {}),
    ...(conditions.length > 0 ? { conditions: [...conditions] } : {}),
  } as JobStatus;
  return { status, events };
}

/** A job that is over or on its way out only lets its pods go. */
function farewell(pods: readonly Pod[]): JobPlan {
  const release = pods.filter(isTracked);
  return {
    status: undefined,
    events: [],
    create: [],
    failures: new Map(),
    remove: [],
    withdraw: [],
    release,
    recheckAfterMs: undefined,
  };
}

const soonest = (...times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((time) => time !== undefined && time > 0).map((time) => time ?? 0);
  return known.length === 0 ? undefined : Math.min(...known);
};

/** What the job is found in. Once it ends, no failure waits for a later pod any more. */
function situationOf(
  job: Job,
  pods: readonly Pod[],
  now: number,
  counting: Counting,
): { readonly situation: Situation; readonly ending: Ending | undefined } {
  const active = pods.filter(isActive);
  const leaving = pods.filter(isLeaving);
  const histories = countsByIndex(job)
    ? indexHistories(job, pods)
    : new Map<number, IndexHistory>();
  const early = tallyJob(job, pods, { counting });
  const ending = endingOf(job, early, active, now);
  const tally =
    ending && countsByIndex(job) ? tallyJob(job, pods, { delays: false, counting }) : early;
  return { situation: { job, tally, active, leaving, histories, now }, ending };
}

/** Pure: the next steps of a job (k8s pkg/controller/job/job_controller.go: syncJob, manageJob). */
export function planJob(
  job: Job,
  pods: readonly Pod[],
  now: number,
  counting: Counting = 'tracked',
): JobPlan {
  if (isFinished(job) || job.metadata.deletionTimestamp) return farewell(pods);
  const { situation, ending } = situationOf(job, pods, now, counting);
  const { tally, active, leaving, histories } = situation;
  const { succeeded, failed } = tally.uncounted;
  const settled =
    ending !== undefined && active.length + leaving.length + succeeded.length + failed.length === 0;
  const { status, events } = statusOf(situation, ending, settled);
  const rest = { status, events, release: tally.release, failures: histories };
  if (ending) {
    const fails = ending.type === 'Failed';
    const [remove, withdraw] = fails ? [active, []] : [[], active];
    return { ...rest, create: [], remove, withdraw, recheckAfterMs: undefined };
  }
  if (job.spec?.suspend)
    return { ...rest, create: [], remove: [], withdraw: active, recheckAfterMs: undefined };
  return { ...rest, remove: [], ...resize(situation, pods, { ...job, status } as Job) };
}

/** Pods that come and go now, and when to look again. */
function resize(
  situation: Situation,
  pods: readonly Pod[],
  started: Job,
): Pick<JobPlan, 'create' | 'withdraw' | 'recheckAfterMs'> {
  const { job, now } = situation;
  const size = sizeOf(situation);
  const { create, withdraw } = size;
  // Indexes that fail by themselves wait by themselves.
  const wait = create.length > 0 && !countsByIndex(job) ? backoffMs(job, pods, now) : 0;
  const recheckAfterMs = soonest(wait, size.waitMs, untilDeadlineMs(started, now));
  return { create: wait > 0 ? [] : create, withdraw, recheckAfterMs };
}
