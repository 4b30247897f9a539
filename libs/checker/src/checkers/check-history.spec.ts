import { describe, expect, it } from '@jest/globals';
import { generateHistory } from '../generators/generate-history.js';
import { checkHistory } from './check-history.js';

describe(checkHistory.name, () => {
  it('passes 100 legal histories', () => {
    const failures: unknown[] = [];
    for (let seed = 1; seed <= 100; seed++) {
      const history = generateHistory({ seed, operations: 200 });
      const results = checkHistory(history, { now: () => performance.now() });
      for (const { checker, verdict, violations } of results)
        if (verdict !== 'ok') failures.push({ seed, checker, verdict, first: violations[0] });
    }
    expect(failures.slice(0, 5)).toEqual([]);
  });
});
