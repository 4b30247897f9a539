import { describe, expect, it } from '@jest/globals';
import { SystemRandom } from '@orrery/component';
import type { Random } from '@orrery/component';
import { backendKey } from '../rule-set.js';
import type { Backend, PolicyName } from '../rule-set.js';
import { createPolicy } from './policy.js';
import type { Flow } from './policy.js';

/** mulberry32: the same numbers in every run. */
function seeded(seed: number): Random {
  let state = seed;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
    uuid: () => new SystemRandom().uuid(),
  };
}

const backends = (weights: readonly number[]): Backend[] =>
  weights.map((weight, i) => ({ address: `127.209.65.${i + 1}`, port: 80, weight }));

const flow = (clientAddress = '127.0.0.1', active: (b: Backend) => number = () => 0): Flow => ({
  clientAddress,
  clientPort: 40_000,
  frontendAddress: '127.209.128.5',
  active,
});

const pickMany = (
  name: PolicyName,
  candidates: readonly Backend[],
  n: number,
  f = flow(),
): string[] => {
  const policy = createPolicy(name, seeded(7));
  return Array.from({ length: n }, () => backendKey(policy.pick(candidates, f)));
};

const count = (keys: readonly string[]): number[] => {
  const totals = new Map<string, number>();
  for (const key of keys) totals.set(key, (totals.get(key) ?? 0) + 1);
  return [...totals.entries()].sort().map(([, n]) => n);
};

describe('createPolicy()', () => {
  it('rr rotates exactly', () => {
    const [a, b, c] = backends([1, 1, 1]).map(backendKey);
    expect(pickMany('rr', backends([1, 1, 1]), 6)).toEqual([a, b, c, a, b, c]);
  });

  it('rr goes on with the successor when the last backend has gone', () => {
    const policy = createPolicy('rr', new SystemRandom());
    const [a, b, c] = backends([1, 1, 1]) as [Backend, Backend, Backend];
    expect([a, b, c].map(() => policy.pick([a, b, c], flow()))).toEqual([a, b, c]);
    expect(policy.pick([a, b, c], flow())).toBe(a);
    expect(policy.pick([b, c], flow())).toBe(b);
  });

  it('random spreads with equal probability (chi-squared, 3 degrees of freedom, p > 0.001)', () => {
    const n = 4_000;
    const observed = count(pickMany('random', backends([1, 1, 1, 1]), n));
    const expected = n / 4;
    const chi2 = observed.reduce((sum, o) => sum + (o - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(16.27);
  });

  it.each<{ name: string; policy: PolicyName; weights: number[]; n: number; want: number[] }>([
    { name: 'wrr follows the weights', policy: 'wrr', weights: [3, 1], n: 40, want: [30, 10] },
    {
      name: 'wrr with equal weights is fair',
      policy: 'wrr',
      weights: [1, 1],
      n: 40,
      want: [20, 20],
    },
    {
      name: 'sh keeps one client on one backend',
      policy: 'sh',
      weights: [1, 1, 1],
      n: 9,
      want: [9],
    },
    {
      name: 'dh keeps one destination on one backend',
      policy: 'dh',
      weights: [1, 1],
      n: 9,
      want: [9],
    },
    {
      name: 'mh keeps one client address and port on one backend',
      policy: 'mh',
      weights: [1, 1, 1],
      n: 9,
      want: [9],
    },
  ])('$name', ({ policy, weights, n, want }) => {
    expect(count(pickMany(policy, backends(weights), n))).toEqual(want);
  });

  it.each<{ name: string; policy: PolicyName; weights: number[]; active: number[]; want: number }>([
    {
      name: 'lc takes the fewest connections',
      policy: 'lc',
      weights: [1, 1],
      active: [2, 1],
      want: 1,
    },
    { name: 'wlc divides by weight', policy: 'wlc', weights: [4, 1], active: [3, 1], want: 0 },
    {
      name: 'sed counts the new connection',
      policy: 'sed',
      weights: [3, 1],
      active: [1, 0],
      want: 0,
    },
    { name: 'nq prefers an idle backend', policy: 'nq', weights: [3, 1], active: [1, 0], want: 1 },
  ])('$name', ({ policy, weights, active, want }) => {
    const candidates = backends(weights);
    const load = (b: Backend): number => active[candidates.indexOf(b)] ?? 0;
    const chosen = createPolicy(policy, new SystemRandom()).pick(
      candidates,
      flow('127.0.0.1', load),
    );
    expect(candidates.indexOf(chosen)).toBe(want);
  });

  it('mh counts the port: connections of one client spread (kube-proxy sets mh-port)', () => {
    const policy = createPolicy('mh', new SystemRandom());
    const all = backends([1, 1, 1]);
    const keys = Array.from({ length: 3_000 }, (_, i) =>
      backendKey(policy.pick(all, { ...flow(), clientPort: 32_768 + i })),
    );
    for (const share of count(keys)) expect(Math.abs(share - 1_000)).toBeLessThan(100);
    expect(count(keys)).toHaveLength(3);
  });

  it('sh takes the address alone, and spreads clients', () => {
    const policy = createPolicy('sh', new SystemRandom());
    const all = backends([1, 1, 1]);
    const ports = [1, 2, 3].map((i) => policy.pick(all, { ...flow(), clientPort: 40_000 + i }));
    expect(new Set(ports).size).toBe(1);
    const clients = Array.from({ length: 3_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const keys = clients.map((client) => backendKey(policy.pick(all, flow(client))));
    for (const share of count(keys)) expect(Math.abs(share - 1_000)).toBeLessThan(100);
  });

  it('mh moves few clients when a backend goes', () => {
    const all = backends([1, 1, 1, 1, 1]);
    const policy = createPolicy('mh', new SystemRandom());
    const clients = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const before = clients.map((client) => policy.pick(all, flow(client)));
    const left = all.slice(0, 4);
    const after = clients.map((client) => policy.pick(left, flow(client)));
    const moved = clients.filter((_, i) => before[i] !== after[i] && before[i] !== all[4]).length;
    expect(moved).toBeLessThan(100);
  });
});
