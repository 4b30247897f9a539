import { describe, expect, it } from '@jest/globals';
import { generateHistory } from '../generators/generate-history.js';
import type { History } from '../history/history.js';
import type { Operation } from '../history/operation.js';
import { overallVerdict } from './check-history.js';
import { checkLinearizability } from './linearizability.js';

const now = (): number => performance.now();

function historyOf(operations: readonly Operation[]): History {
  const coverage = { complete: false };
  return { labels: {}, operations, events: [], coverage, watches: [], informers: [], faults: [] };
}

/** All calls of one moment: nothing but the answers orders them. */
function concurrentUpdates(count: number, read: string): History {
  const key = 'configmaps/ns1/a';
  const at = { client: 'c', key, call: 0, ret: null } as const;
  const operations: Operation[] = [
    { ...at, id: 0, f: 'create', args: { value: 'v0' }, outcome: 'ok', ret: 1 },
    ...Array.from({ length: count }, (_, i): Operation => ({
      ...at,
      id: i + 1,
      f: 'update',
      args: { value: `v${i + 1}` },
      outcome: 'unknown',
      call: 2,
    })),
    ...Array.from({ length: count }, (_, i): Operation => {
      const value = i === count - 1 ? read : `v${i + 1}`;
      const body = { object: { key, uid: 'u', rv: 1, value } };
      return { ...at, id: 1000 + i, f: 'get', args: {}, outcome: 'ok', call: 3, ret: 50, body };
    }),
  ];
  return historyOf(operations);
}

describe(checkLinearizability.name, () => {
  it('says unknown when the time is over, which is no pass', () => {
    let time = 0;
    const result = checkLinearizability(concurrentUpdates(14, 'never-written'), {
      now: () => time++,
      budgetMs: 50,
    });
    expect(result.verdict).toBe('unknown');
    expect(overallVerdict([result])).toBe('unknown');
  });

  it('catches a server that invents revisions but loses an update', () => {
    const key = 'configmaps/ns1/a';
    const object = { key, uid: 'u', rv: 1, value: 'v1' };
    const write = { client: 'c1', key, outcome: 'ok' } as const;
    const history = historyOf([
      {
        ...write,
        id: 1,
        f: 'create',
        args: { value: 'v1' },
        call: 0,
        ret: 1,
        rv: 1,
        body: { object },
      },
      { ...write, id: 2, f: 'update', args: { value: 'v2' }, call: 2, ret: 3, rv: 7 },
      {
        ...write,
        id: 3,
        f: 'get',
        args: {},
        call: 4,
        ret: 5,
        rv: 9,
        body: { object: { ...object, rv: 9 } },
      },
    ]);
    const result = checkLinearizability(history, { now });
    expect(result.violations).toMatchObject([{ rule: 'not-linearizable', operation: { id: 3 } }]);
  });

  it('needs no log: unknown writes may or may not have happened', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const legal = generateHistory({ seed, unknownRate: 0.1, observers: false });
      const history = { ...legal, events: [], coverage: { complete: false } };
      expect({ seed, verdict: checkLinearizability(history, { now }).verdict }).toEqual({
        seed,
        verdict: 'ok',
      });
    }
  });
});
