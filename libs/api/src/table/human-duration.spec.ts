import { describe, expect, it } from '@jest/globals';
import { ageOf, humanDuration } from './human-duration.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

describe('humanDuration()', () => {
  it.each([
    { name: 'under two minutes in seconds', ms: 119 * SECOND, want: '119s' },
    { name: 'two minutes', ms: 120 * SECOND, want: '2m' },
    { name: 'under ten minutes with seconds', ms: 200 * SECOND, want: '3m20s' },
    { name: 'under three hours in minutes', ms: 179 * 60 * SECOND, want: '179m' },
    { name: 'under eight hours with minutes', ms: 5 * HOUR + 180 * SECOND, want: '5h3m' },
    { name: 'under two days in hours', ms: 47 * HOUR, want: '47h' },
    { name: 'under eight days with hours', ms: 2 * DAY + 4 * HOUR, want: '2d4h' },
    { name: 'under two years in days', ms: 120 * DAY, want: '120d' },
    { name: 'years with days', ms: (3 * 365 + 7) * DAY, want: '3y7d' },
    { name: 'a clock a little ahead', ms: -500, want: '0s' },
    { name: 'a time far ahead', ms: -10 * SECOND, want: '<invalid>' },
  ])('prints $name', ({ ms, want }) => {
    expect(humanDuration(ms)).toBe(want);
  });

  it('has no age for a missing time', () => {
    expect(ageOf(undefined, 0)).toBe('<unknown>');
  });
});
