import { describe, expect, it } from '@jest/globals';
import type { CronJob, Job } from '@orrery/api';
import { cronStatus, planCronJob } from './cronjob.decide.js';
import { scheduleOf } from './cronjob.reconciler.js';
import { mostRecent, parseSchedule, timeIn } from './schedule.js';

const NOW = Date.parse('2026-01-01T10:03:30Z');
const at = (text: string): number => Date.parse(`2026-01-01T${text}Z`);

const cronJob = (spec: object = {}, status: object = {}): CronJob =>
  ({
    metadata: { name: 'c', uid: 'c', namespace: 'd', creationTimestamp: '2026-01-01T10:00:30Z' },
    spec: { schedule: '* * * * *', jobTemplate: {}, ...spec },
    status,
  }) as unknown as CronJob;

function job(name: string, finish?: string, startTime = '2026-01-01T10:00:00Z'): Job {
  const conditions = finish ? [{ type: finish, status: 'True' }] : [];
  return {
    metadata: { name, uid: name },
    status: {
      startTime,
      conditions,
      ...(finish === 'Complete' ? { completionTime: startTime } : {}),
    },
  } as Job;
}

const active = (...names: string[]): object => ({
  active: names.map((name) => ({ name, uid: name })),
});

interface Case {
  name: string;
  cron: CronJob;
  jobs?: Job[];
  missing?: string[];
  start?: string;
  replace?: string[];
  forget?: string[];
  active?: string[];
  events?: string[];
}

const CASES: Case[] = [
  { name: 'starts for the last time that came', cron: cronJob(), start: '10:03:00' },
  {
    name: 'starts nothing twice',
    cron: cronJob({}, { lastScheduleTime: '2026-01-01T10:03:00Z' }),
  },
  { name: 'starts nothing before the first time', cron: cronJob({ schedule: '0 11 * * *' }) },
  { name: 'starts nothing while suspended', cron: cronJob({ suspend: true }) },
  {
    name: 'passes over what is older than the deadline',
    cron: cronJob({ startingDeadlineSeconds: 20 }),
  },
  {
    name: 'tells of very many missed times and starts the last',
    cron: cronJob({}, { lastScheduleTime: '2025-12-01T00:00:00Z' }),
    start: '10:03:00',
    events: ['TooManyMissedTimes'],
  },
  {
    name: 'does not start beside an active job when that is forbidden',
    cron: cronJob({ concurrencyPolicy: 'Forbid' }, active('a')),
    jobs: [job('a')],
    active: ['a'],
    events: ['JobAlreadyActive'],
  },
  {
    name: 'replaces the active job',
    cron: cronJob({ concurrencyPolicy: 'Replace' }, active('a')),
    jobs: [job('a')],
    start: '10:03:00',
    replace: ['a'],
  },
  {
    name: 'starts beside an active job when that is allowed',
    cron: cronJob({}, active('a')),
    jobs: [job('a')],
    start: '10:03:00',
    active: ['a'],
  },
  {
    name: 'drops finished and missing jobs from the active ones',
    cron: cronJob({ suspend: true }, active('a', 'b')),
    jobs: [job('a', 'Complete')],
    missing: ['b'],
    events: ['SawCompletedJob', 'MissingJob'],
  },
  {
    name: 'tells of a job that it did not start',
    cron: cronJob({ suspend: true }),
    jobs: [job('x')],
    events: ['UnexpectedJob'],
  },
  {
    name: 'forgets the oldest jobs beyond the history',
    cron: cronJob({ suspend: true, successfulJobsHistoryLimit: 1 }),
    jobs: [
      job('new', 'Complete', '2026-01-01T10:02:00Z'),
      job('old', 'Complete'),
      job('f1', 'Failed'),
      job('f2', 'Failed', '2026-01-01T10:02:00Z'),
    ],
    forget: ['old', 'f1'],
  },
  {
    name: 'tells of a schedule that it cannot read',
    cron: cronJob({ schedule: '61 * * * *' }),
    events: ['UnparseableSchedule'],
  },
  {
    name: 'tells of a time zone that it does not know',
    cron: cronJob({ timeZone: 'Mars/Base' }),
    events: ['UnknownTimeZone'],
  },
];

describe('planCronJob()', () => {
  it.each(CASES)('$name', (wanted) => {
    const { cron, jobs = [], missing = [] } = wanted;
    const schedule = scheduleOf(cron);
    const plan = planCronJob({
      cronJob: cron,
      jobs,
      missing: new Set(missing),
      schedule,
      now: NOW,
    });
    expect(plan.start).toBe(wanted.start === undefined ? undefined : at(wanted.start));
    expect(plan.replace.map(({ name }) => name)).toEqual(wanted.replace ?? []);
    expect(plan.forget.map(({ metadata }) => metadata.name)).toEqual(wanted.forget ?? []);
    expect(plan.active.map(({ name }) => name)).toEqual(wanted.active ?? []);
    expect(plan.events.map(({ reason }) => reason)).toEqual(wanted.events ?? []);
  });

  it('looks again just after the next time, and notes the last', () => {
    const cron = cronJob();
    const world = { cronJob: cron, jobs: [job('a', 'Complete')], missing: new Set<string>() };
    const plan = planCronJob({ ...world, schedule: scheduleOf(cron), now: NOW });
    expect(plan.recheckAfterMs).toBe(30_100);
    expect(cronStatus(cron, plan, { name: 'j' })).toEqual({
      active: [{ name: 'j' }],
      lastScheduleTime: '2026-01-01T10:03:00Z',
      lastSuccessfulTime: '2026-01-01T10:00:00Z',
    });
  });
});

describe('parseSchedule()', () => {
  it.each([
    { text: '30 9 * * *', zone: 'UTC', want: '2026-01-02T09:30:00.000Z' },
    { text: '30 9 * * *', zone: 'America/New_York', want: '2026-01-01T14:30:00.000Z' },
    { text: '0 0 13 * 5', zone: 'UTC', want: '2026-01-02T00:00:00.000Z' },
    { text: '*/15 * * * ?', zone: 'UTC', want: '2026-01-01T10:15:00.000Z' },
    { text: '@hourly', zone: 'UTC', want: '2026-01-01T11:00:00.000Z' },
    { text: '@every 90s', zone: 'UTC', want: '2026-01-01T10:05:00.000Z' },
  ])('reads $text in $zone', ({ text, zone, want }) => {
    expect(new Date(parseSchedule(text, zone).next(NOW) ?? 0).toISOString()).toBe(want);
  });

  it.each([
    { text: '', why: 'expected exactly 5 fields' },
    { text: '* * * *', why: 'found 4' },
    { text: '0 * * * * *', why: 'found 6' },
    { text: '@every x', why: 'failed to parse duration' },
  ])('refuses "$text"', ({ text, why }) => {
    expect(() => parseSchedule(text, 'UTC')).toThrow(why);
  });
});

describe('mostRecent()', () => {
  it('finds the last of times that are not evenly apart', () => {
    const schedule = parseSchedule('0 9,10 * * *', 'UTC');
    expect(mostRecent(schedule, NOW - 40 * 86_400_000, NOW).at).toBe(at('10:00:00'));
  });
});

describe('timeIn()', () => {
  it.each([
    { zone: 'UTC', want: '2026-07-01T10:00:00Z' },
    { zone: 'Europe/Berlin', want: '2026-07-01T12:00:00+02:00' },
    { zone: 'America/New_York', want: '2026-07-01T06:00:00-04:00' },
    { zone: 'Asia/Kolkata', want: '2026-07-01T15:30:00+05:30' },
  ])('writes the time of $zone', ({ zone, want }) => {
    expect(timeIn(Date.parse('2026-07-01T10:00:00Z'), zone)).toBe(want);
  });
});
