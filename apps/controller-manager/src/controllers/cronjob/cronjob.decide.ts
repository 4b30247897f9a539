import type { CronJob, CronJobStatus, Job, ObjectReference } from '@orrery/api';
import { toTime } from '@orrery/component';
import { mostRecent } from './schedule.js';
import type { Schedule } from './schedule.js';

export interface CronWorld {
  readonly cronJob: CronJob;
  /** Controlled by it. */
  readonly jobs: readonly Job[];
  /** Uids of active jobs of the status that the server does not have. */
  readonly missing: ReadonlySet<string>;
  /** Why there is none, as the event to tell it by. */
  readonly schedule: Schedule | CronEvent;
  readonly now: number;
}

export interface CronEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface CronPlan {
  readonly events: readonly CronEvent[];
  readonly active: readonly ObjectReference[];
  readonly lastSuccessfulTime: string | undefined;
  /** The time for which to start a job, if it is time. */
  readonly start: number | undefined;
  /** Active jobs that give way to the new one. */
  readonly replace: readonly ObjectReference[];
  /** Finished jobs beyond the history limits. */
  readonly forget: readonly Job[];
  readonly recheckAfterMs: number | undefined;
}

/** After the time itself, so that it has surely come. */
const MARGIN_MS = 100;

export type Finish = 'Complete' | 'Failed';

export function finishOf(job: Job): Finish | undefined {
  const found = job.status?.conditions?.find(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  return found?.type as Finish | undefined;
}

/** Minutes since the epoch make the name: one job a time, whoever creates it (k8s cronjob/utils.go: getJobName). */
export const jobNameAt = (cronJob: CronJob, at: number): string =>
  `${cronJob.metadata.name ?? ''}-${Math.floor(at / 60_000)}`;

const event = (type: CronEvent['type'], reason: string, message: string): CronEvent => ({
  type,
  reason,
  message,
});

/** What has become of the active jobs. */
function review({ cronJob, jobs, missing }: CronWorld) {
  const events: CronEvent[] = [];
  const before = cronJob.status?.active ?? [];
  const active = before.filter(({ uid = '', name = '' }) => {
    if (missing.has(uid)) {
      events.push(event('Normal', 'MissingJob', `Active job went missing: ${name}`));
      return false;
    }
    const job = jobs.find(({ metadata }) => metadata.uid === uid);
    const finish = job && finishOf(job);
    if (!finish) return true;
    const text = `Saw completed job: ${name}, condition: ${finish}`;
    events.push(event('Normal', 'SawCompletedJob', text));
    return false;
  });
  for (const { metadata, status } of jobs) {
    const known = before.some(({ uid }) => uid === metadata.uid);
    if (known || finishOf({ metadata, ...(status ? { status } : {}) } as Job)) continue;
    const text = `Saw a job that the controller did not create or forgot: ${metadata.name ?? ''}`;
    events.push(event('Warning', 'UnexpectedJob', text));
  }
  return { active, events };
}

function lastSuccess({ cronJob, jobs }: CronWorld): string | undefined {
  const times = jobs
    .filter((job) => finishOf(job) === 'Complete')
    .map(({ status }) => status?.completionTime ?? '');
  const latest = [cronJob.status?.lastSuccessfulTime ?? '', ...times].sort().at(-1);
  return latest || undefined;
}

/** Finished jobs that are more than the history keeps, the oldest first. */
function beyondHistory({ cronJob, jobs }: CronWorld): Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const startOf = ({ status, metadata }: Job): string =>
    status?.startTime ?? metadata.creationTimestamp ?? '';
  const excess = (finish: Finish, limit: number): Job[] => {
    const finished = jobs
      .filter((job) => finishOf(job) === finish && !job.metadata.deletionTimestamp)
      .sort((a, b) => startOf(a).localeCompare(startOf(b)));
    return finished.slice(0, Math.max(finished.length - limit, 0));
  };
  return [
    ...excess('Complete', successfulJobsHistoryLimit ?? 3),
    ...excess('Failed', failedJobsHistoryLimit ?? 1),
  ];
}

/** From when on a time counts as not yet served. */
function sinceOf({ spec, status, metadata }: CronJob, now: number): number {
  const last = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '') || now;
  const deadline = spec?.startingDeadlineSeconds;
  return deadline === undefined ? last : Math.max(last, now - deadline * 1000);
}

interface Start {
  readonly start: number | undefined;
  readonly replace: readonly ObjectReference[];
  readonly events: readonly CronEvent[];
}

function startOf(
  { cronJob, now }: CronWorld,
  schedule: Schedule,
  active: readonly ObjectReference[],
): Start {
  const { at, tooMany } = mostRecent(schedule, sinceOf(cronJob, now), now);
  const events: CronEvent[] = [];
  const idle: Start = { start: undefined, replace: [], events };
  if (tooMany) {
    const text =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    events.push(event('Warning', 'TooManyMissedTimes', text));
  }
  if (at === undefined) return idle;
  if (active.some(({ name }) => name === jobNameAt(cronJob, at))) return idle;
  const policy = cronJob.spec?.concurrencyPolicy ?? 'Allow';
  if (policy === 'Forbid' && active.length > 0) {
    const text =
      'Not starting job because prior execution is running and concurrency policy is Forbid';
    events.push(event('Normal', 'JobAlreadyActive', text));
    return idle;
  }
  return { start: at, replace: policy === 'Replace' ? active : [], events };
}

/** Pure: whether a job is to be started, and which are over (k8s pkg/controller/cronjob: syncCronJob). */
export function planCronJob(world: CronWorld): CronPlan {
  const { cronJob, schedule, now } = world;
  const { active, events } = review(world);
  const rest = { lastSuccessfulTime: lastSuccess(world), forget: beyondHistory(world) };
  const idle: CronPlan = {
    ...rest,
    events,
    active,
    start: undefined,
    replace: [],
    recheckAfterMs: undefined,
  };
  if (cronJob.metadata.deletionTimestamp || cronJob.spec?.suspend) return idle;
  if ('reason' in schedule) return { ...idle, events: [...events, schedule] };
  const start = startOf(world, schedule, active);
  const next = schedule.next(now);
  return {
    ...rest,
    events: [...events, ...start.events],
    active: active.filter((reference) => !start.replace.includes(reference)),
    start: start.start,
    replace: start.replace,
    recheckAfterMs: next === undefined ? undefined : next - now + MARGIN_MS,
  };
}

/** The status after the plan, with the job that was started. */
export function cronStatus(
  cronJob: CronJob,
  { active, lastSuccessfulTime, start }: CronPlan,
  started: ObjectReference | undefined,
): CronJobStatus {
  const all = started ? [...active, started] : [...active];
  const lastScheduleTime = start === undefined ? cronJob.status?.lastScheduleTime : toTime(start);
  return {
    ...(all.length > 0 ? { active: all } : {}),
    ...(lastScheduleTime ? { lastScheduleTime } : {}),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  };
}
