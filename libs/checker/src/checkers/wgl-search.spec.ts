import { describe, expect, it } from '@jest/globals';
import type { Random } from '@orrery/component';
import { chance, createSeededRandom, pick, pickNumber } from '../generators/seeded-random.js';
import type { Operation } from '../history/operation.js';
import { endOf } from '../history/operation.js';
import type { ObjectState } from './object-model.js';
import { step } from './object-model.js';
import { WglSearch } from './wgl-search.js';

const now = (): number => performance.now();
const KEY = 'configmaps/ns1/a';

/** Tries every order that respects real time. */
function hasOrder(state: ObjectState, open: readonly Operation[]): boolean {
  if (open.every(({ outcome }) => outcome === 'unknown')) return true;
  const firstEnd = Math.min(
    ...open.map((item) => (item.outcome === 'unknown' ? Infinity : endOf(item))),
  );
  return open.some((operation) => {
    if (operation.call > firstEnd) return false;
    const next = step(state, operation);
    return (
      next !== undefined &&
      hasOrder(
        next,
        open.filter((item) => item !== operation),
      )
    );
  });
}

/** Few clients, few values, answers by chance: about half of them impossible. */
function randomOperation(random: Random, id: number): Operation {
  const call = pickNumber(random, 20);
  const base = { client: `c${id}`, id, key: KEY, call, ret: call + pickNumber(random, 10) };
  const rv = 1 + pickNumber(random, 4);
  const object = { key: KEY, uid: pick(random, ['u1', 'u1', 'u2']) ?? 'u1', rv, value: `v${rv}` };
  const f = pick(random, ['create', 'update', 'delete', 'get', 'get'] as const) ?? 'get';
  const args = f === 'create' || f === 'update' ? { value: object.value } : {};
  if (f !== 'get' && chance(random, 0.3))
    return { ...base, f, args, ret: null, outcome: 'unknown' };
  if (chance(random, 0.2)) return { ...base, f, args, outcome: 'fail', reason: 'NotFound' };
  if (f === 'delete') return { ...base, f, args, outcome: 'ok' };
  return { ...base, f, args, outcome: 'ok', rv, body: { object } };
}

describe(WglSearch.name, () => {
  it('agrees with trying every order, on 3,000 small histories', () => {
    const random = createSeededRandom(42);
    let legal = 0;
    for (let i = 0; i < 3000; i++) {
      const count = 2 + pickNumber(random, 5);
      const operations = Array.from({ length: count }, (_, id) => randomOperation(random, id));
      const want = hasOrder(null, operations);
      if (want) legal++;
      expect({ i, verdict: new WglSearch(operations, null).run(now, Infinity) }).toEqual({
        i,
        verdict: want ? 'ok' : 'illegal',
      });
    }
    expect(legal).toBeGreaterThan(300);
  });

  it('stops at its deadline without a verdict and goes on later', () => {
    const operations = Array.from({ length: 400 }, (_, i): Operation => {
      const object = { key: KEY, uid: 'u', rv: i + 1, value: `v${i}` };
      const f = i === 0 ? 'create' : 'update';
      return {
        client: 'c0',
        id: i,
        f,
        key: KEY,
        args: { value: `v${i}` },
        call: 2 * i,
        ret: 2 * i + 1,
        outcome: 'ok',
        rv: i + 1,
        body: { object },
      };
    });
    const search = new WglSearch(operations, null);
    expect(search.run(() => 1, 0)).toBe('unknown');
    expect(search.run(now, Infinity)).toBe('ok');
  });
});
