import { describe, expect, it } from '@jest/globals';
import { formatMs, formatScorecard, percentile } from './scorecard.js';

describe(percentile.name, () => {
  it.each([
    { name: 'the middle of an odd number', values: [3, 1, 2], percent: 50, want: 2 },
    { name: 'the lower middle of an even number', values: [4, 1, 2, 3], percent: 50, want: 2 },
    { name: 'the largest for 99 of few', values: [5, 1], percent: 99, want: 5 },
    { name: 'nothing of nothing', values: [], percent: 50, want: 0 },
  ])('$name', ({ values, percent, want }) => {
    expect(percentile(values, percent)).toBe(want);
  });
});

describe(formatScorecard.name, () => {
  const text = formatScorecard([{ row: 24, value: '20/20', verdict: 'met', details: ['n=20'] }]);

  it('has all 24 rows, and says which were not run', () => {
    const rows = text.split('\n').filter((line) => /^\d+ /.test(line));
    expect(rows).toHaveLength(24);
    expect(rows.filter((line) => line.endsWith('not run'))).toHaveLength(23);
  });

  it('shows the value, and what it is made of below', () => {
    expect(text).toMatch(/^24 .*20\/20 +met$/m);
    expect(text).toContain('row 24: n=20');
  });
});

describe(formatMs.name, () => {
  it.each([
    { values: [1.4, 2.6, 9], want: '3 / 9 ms' },
    { values: [], want: '-' },
  ])('$want', ({ values, want }) => {
    expect(formatMs(values)).toBe(want);
  });
});
