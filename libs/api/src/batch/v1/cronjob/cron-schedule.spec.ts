import { describe, expect, it } from '@jest/globals';
import { cronProblem } from './cron-schedule.js';

const isZone = (name: string): boolean => name === 'UTC';

describe('a schedule', () => {
  it.each([
    '*/5 * * * *',
    '0 0 1,15 jan-mar mon',
    '5/10 1-5/2 ? * *',
    '@hourly',
    '@every 1h30m',
    'TZ=UTC 0 0 * * *',
    'CRON_TZ=UTC @daily',
  ])('is %s', (schedule) => {
    expect(cronProblem(schedule, isZone)).toBeUndefined();
  });

  it.each([
    { schedule: '* * *', want: 'expected exactly 5 fields, found 3: [* * *]' },
    { schedule: '60 * * * *', want: 'end of range (60) above maximum (59): 60' },
    { schedule: '* * 0 * *', want: 'beginning of range (0) below minimum (1): 0' },
    { schedule: '5-3 * * * *', want: 'beginning of range (5) beyond end of range (3): 5-3' },
    { schedule: '*/0 * * * *', want: 'step of range should be a positive number: */0' },
    { schedule: '1-2-3 * * * *', want: 'too many hyphens: 1-2-3' },
    { schedule: '*/1/2 * * * *', want: 'too many slashes: */1/2' },
    {
      schedule: 'a * * * *',
      want: 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax',
    },
    { schedule: '@noon', want: 'unrecognized descriptor: @noon' },
    { schedule: '@every x', want: 'failed to parse duration @every x: time: invalid duration "x"' },
    { schedule: 'TZ=Mars * * * * *', want: 'provided bad location Mars: unknown time zone Mars' },
  ])('is not $schedule', ({ schedule, want }) => {
    expect(cronProblem(schedule, isZone)).toBe(want);
  });
});
