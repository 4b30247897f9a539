import type { Job, JobStatus, Pod } from '@orrery/api';
import { toTime } from '@orrery/component';
import { omitEmpty } from '@orrery/controller';
import { isActive, isReady } from '../../pods/pod-state.js';
import { byDeletionPreference, rankByNode } from '../replicaset/pod-ranking.js';
import { backoffMs } from './job-backoff.js';
import { conditionsOf, endingOf, isFinished, untilDeadlineMs } from './job-conditions.js';
import type { ConditionEvent, Ending } from './job-conditions.js';
import { indexOf, isIndexed, isLeaving, isTracked, replacesFailedOnly } from './job-pods.js';
import { indexesText, tallyJob } from './job-tally.js';
import type { Tally } from './job-tally.js';

/** Pods created or deleted in one reconcile at most (k8s pkg/controller/job: MaxPodCreateDeletePerSync). */
const MAX_PODS = 500;

export interface JobPlan {
  /** undefined: there is nothing to say. */
  readonly status: JobStatus | undefined;
  readonly events: readonly ConditionEvent[];
  /** Pods to create: the index of each, or undefined for a job without. */
  readonly create: readonly (number | undefined)[];
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
}

interface Situation {
  readonly job: Job;
  readonly tally: Tally;
  readonly active: readonly Pod[];
  readonly leaving: readonly Pod[];
  readonly now: number;
}

const none: Size = { create: [], withdraw: [] };

function wantedActive({ job, tally, active }: Situation): number {
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  // Of a work queue, one success means that no new pods are needed.
  if (completions === undefined)
    return tally.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.min(parallelism, Math.max(completions - tally.succeeded, 0));
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

function freeIndexes({ job, tally }: Situation, kept: readonly Pod[], count: number): number[] {
  const used = new Set([...tally.completedIndexes, ...kept.map((pod) => indexOf(job, pod))]);
  const free: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && free.length < count; index++)
    if (!used.has(index)) free.push(index);
  return free;
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
  const create = isIndexed(job)
    ? freeIndexes(situation, [...kept, ...waitedFor], missing)
    : Array.from({ length: missing }, () => undefined);
  return { create, withdraw: surplus };
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

/** Pure: the next steps of a job (k8s pkg/controller/job/job_controller.go: syncJob, manageJob). */
export function planJob(job: Job, pods: readonly Pod[], now: number): JobPlan {
  if (isFinished(job) || job.metadata.deletionTimestamp) return farewell(pods);
  const tally = tallyJob(job, pods);
  const active = pods.filter(isActive);
  const situation: Situation = { job, tally, active, leaving: pods.filter(isLeaving), now };
  const ending = endingOf(job, tally, active, now);
  const { succeeded, failed } = tally.uncounted;
  const settled =
    ending !== undefined &&
    active.length + situation.leaving.length + succeeded.length + failed.length === 0;
  const { status, events } = statusOf(situation, ending, settled);
  const rest = { status, events, release: tally.release };
  if (ending) {
    const fails = ending.type === 'Failed';
    const [remove, withdraw] = fails ? [active, []] : [[], active];
    return { ...rest, create: [], remove, withdraw, recheckAfterMs: undefined };
  }
  if (job.spec?.suspend)
    return { ...rest, create: [], remove: [], withdraw: active, recheckAfterMs: undefined };
  const size = sizeOf(situation);
  const wait = size.create.length > 0 ? backoffMs(job, pods, now) : 0;
  const act = wait > 0 ? { ...none, withdraw: size.withdraw } : size;
  const started = { ...job, status } as Job;
  return {
    ...rest,
    ...act,
    remove: [],
    recheckAfterMs: soonest(wait, untilDeadlineMs(started, now)),
  };
}
