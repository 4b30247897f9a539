import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { node, pod } from '../../../test/builders.js';
import type { PodBuilder } from '../../../test/builders.js';
import { PluginBench } from '../../../test/plugin-context.js';
import { CycleState } from '../../framework/cycle-state.js';
import type { Status } from '../../framework/status.js';
import { isSuccess } from '../../framework/status.js';
import { nodeResourcesFit } from '../node-resources-fit/node-resources-fit.plugin.js';
import { defaultPreemption } from './default-preemption.plugin.js';
import { findVictims } from './find-victims.js';

/** A long run: SCHEDULER_RUNS=100000 npm run unit -- default-preemption/preemption.reference */
const RUNS = Number(process.env['SCHEDULER_RUNS'] ?? 600);
const LIMIT_MS = 30_000 + RUNS * 20;

const CAPACITY = 6;

/** A pod that runs; `age` orders by start, and no two are equal. */
interface Runs {
  readonly name: string;
  readonly on: number;
  readonly cpu: number;
  readonly priority: number;
  readonly app: string;
  readonly age: number;
}

interface Budget {
  readonly app: string;
  readonly allowed: number;
}

interface World {
  readonly nodes: number;
  readonly pods: readonly Runs[];
  readonly budgets: readonly Budget[];
  readonly cpu: number;
  readonly priority: number;
}

const world: fc.Arbitrary<World> = fc
  .record({
    nodes: fc.integer({ min: 1, max: 3 }),
    pods: fc.array(
      fc.record({
        on: fc.nat(2),
        cpu: fc.constantFrom(1, 1, 1, 2, 3),
        priority: fc.integer({ min: -1, max: 2 }),
        app: fc.constantFrom('a', 'b', 'c'),
      }),
      { minLength: 1, maxLength: 14, size: 'max' },
    ),
    budgets: fc.uniqueArray(
      fc.record({ app: fc.constantFrom('a', 'b'), allowed: fc.integer({ min: 0, max: 2 }) }),
      { maxLength: 2, selector: ({ app }) => app },
    ),
    cpu: fc.integer({ min: 1, max: 5 }),
    priority: fc.integer({ min: 0, max: 3 }),
    order: fc.array(fc.nat(1_000_000), { minLength: 14, maxLength: 14 }),
  })
  .map(({ pods, order, ...rest }) => {
    const placed: Runs[] = [];
    for (const [i, each] of pods.entries()) {
      const on = each.on % rest.nodes;
      const used = placed.reduce((sum, one) => sum + (one.on === on ? one.cpu : 0), 0);
      const age = (order[i] ?? 0) * 14 + i;
      if (used + each.cpu <= CAPACITY) placed.push({ ...each, on, name: `p${i}`, age });
    }
    return { ...rest, pods: placed };
  });

const more = (a: Runs, b: Runs): number => b.priority - a.priority || a.age - b.age;

interface Leaving {
  readonly node: number;
  readonly victims: readonly Runs[];
  readonly violations: number;
}

/** Whom the budgets would not let go when all of `lower` went, the most important first. */
function protectedOf(lower: readonly Runs[], budgets: readonly Budget[]): ReadonlySet<Runs> {
  const found = new Set<Runs>();
  for (const { app, allowed } of budgets)
    for (const each of lower.filter((one) => one.app === app).slice(allowed)) found.add(each);
  return found;
}

/**
 * By trying every subset: who stays is the largest in the order in which upstream gives places back (those with an
 * exhausted budget first, then the rest, the most important first).
 */
function leavingOf({ pods, budgets, cpu, priority }: World, on: number): Leaving | undefined {
  const here = pods.filter((each) => each.on === on);
  const lower = here.filter((each) => each.priority < priority).sort(more);
  const used = here.reduce((sum, each) => sum + each.cpu, 0);
  const guarded = protectedOf(lower, budgets);
  const order = [...lower.filter((p) => guarded.has(p)), ...lower.filter((p) => !guarded.has(p))];
  let best: { readonly kept: string; readonly victims: readonly Runs[] } | undefined;
  for (let subset = 0; subset < 1 << order.length; subset++) {
    const victims = order.filter((_, i) => subset & (1 << i));
    const freed = victims.reduce((sum, each) => sum + each.cpu, 0);
    if (used - freed + cpu > CAPACITY) continue;
    const kept = order.map((each) => (victims.includes(each) ? '0' : '1')).join('');
    if (!best || kept > best.kept) best = { kept, victims };
  }
  if (lower.length === 0 || !best) return undefined;
  const violations = best.victims.filter((each) => guarded.has(each)).length;
  return { node: on, violations, victims: [...best.victims].sort(more) };
}

/** Whether leaving `a` hurts less than leaving `b`, by upstream's rules one after the other. */
function hurtsLess(a: Leaving, b: Leaving): boolean {
  const first = ({ victims }: Leaving): number => victims[0]?.priority ?? 0;
  const sum = ({ victims }: Leaving): number =>
    victims.reduce((total, each) => total + each.priority + 2 ** 31, 0);
  const start = ({ victims }: Leaving): number =>
    Math.min(...victims.filter((each) => each.priority === victims[0]?.priority).map((v) => v.age));
  const rules = [
    a.violations - b.violations,
    first(a) - first(b),
    sum(a) - sum(b),
    a.victims.length - b.victims.length,
    start(b) - start(a),
  ];
  return (rules.find((rule) => rule !== 0) ?? 0) < 0;
}

const startedAt = (age: number): string => new Date(age * 1000).toISOString();

const running = ({ name, on, cpu, priority, app, age }: Runs): PodBuilder =>
  pod(name)
    .requests({ cpu: String(cpu) })
    .priority(priority)
    .labels({ app })
    .startedAt(startedAt(age))
    .on(`n${on}`);

function benchOf({ nodes, pods, budgets }: World): PluginBench {
  return new PluginBench([nodeResourcesFit, defaultPreemption], {
    nodes: Array.from({ length: nodes }, (_, i) =>
      node(`n${i}`).allocatable({ cpu: String(CAPACITY) }),
    ),
    pods: pods.map(running),
    objects: {
      budgets: budgets.map(({ app, allowed }) => ({
        metadata: { name: app, namespace: 'default' },
        spec: { selector: { matchLabels: { app } } },
        status: { disruptionsAllowed: allowed },
      })) as never,
    },
  });
}

const asked = ({ cpu, priority }: World): PodBuilder =>
  pod('asked')
    .requests({ cpu: String(cpu) })
    .priority(priority);

describe('preemption beside every possible choice', () => {
  it(
    'takes from each node the victims that budgets and importance leave',
    () => {
      fc.assert(
        fc.property(world, (each) => {
          const bench = benchOf(each);
          const info = asked(each).info();
          const state = new CycleState();
          bench.framework.preFilter(state, info);
          const budgets = bench.budgets;
          for (const to of bench.cache.list()) {
            if (isSuccess(bench.framework.filter(state, info, to))) continue;
            const want = leavingOf(each, Number(to.name.slice(1)));
            const run = { filters: bench.framework, state, pod: info, budgets };
            const found = findVictims(to, run);
            const got =
              'code' in found
                ? undefined
                : [found.violations, ...found.victims.map(({ name }) => name)];
            expect(got).toEqual(want && [want.violations, ...want.victims.map((v) => v.name)]);
          }
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    'nominates a node that no other beats',
    () => {
      fc.assert(
        fc.property(world, (each) => {
          const bench = benchOf(each);
          const info = asked(each).info();
          const state = new CycleState();
          bench.framework.preFilter(state, info);
          const statuses = new Map<string, Status>();
          for (const to of bench.cache.list()) {
            const status = bench.framework.filter(state, info, to);
            if (!isSuccess(status)) statuses.set(to.name, status);
          }
          if (statuses.size < each.nodes) return;
          const result = bench.framework.postFilter(state, info, {
            allNodes: each.nodes,
            statuses,
            plugins: new Set(),
          });
          const all = Array.from({ length: each.nodes }, (_, i) => leavingOf(each, i));
          const open = all.filter((one) => one !== undefined);
          const best = open.filter((one) => !open.some((other) => hurtsLess(other, one)));
          const got = 'nominatedNode' in result ? result.nominatedNode : undefined;
          const names = best.map((one) => `n${one.node}`);
          expect(names.length > 0 ? names : ['']).toContain(got);
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );
});
