import { describe, expect, it } from '@jest/globals';
import type { Node, Pod } from '@orrery/api';
import fc from 'fast-check';
import { node, pod } from '../../test/builders.js';
import type { NodeBuilder, PodBuilder } from '../../test/builders.js';
import { PluginBench } from '../../test/plugin-context.js';
import { isFeasible, leastAllocated, preference, victimsOn } from '../../test/reference.js';
import { CycleState } from '../framework/cycle-state.js';
import { toPodInfo } from '../framework/pod-info.js';
import { isSuccess } from '../framework/status.js';
import { findVictims } from '../plugins/default-preemption/find-victims.js';
import { interPodAffinity } from '../plugins/inter-pod-affinity/inter-pod-affinity.plugin.js';
import { nodeResourcesFit } from '../plugins/node-resources-fit/node-resources-fit.plugin.js';
import { podTopologySpread } from '../plugins/pod-topology-spread/pod-topology-spread.plugin.js';
import { taintToleration } from '../plugins/taint-toleration/taint-toleration.plugin.js';

/** A long run: SCHEDULER_RUNS=100000 npm run unit -- apps/scheduler/src/cycle/reference */
const RUNS = Number(process.env['SCHEDULER_RUNS'] ?? 150);

/** A run plays up to 13 steps. */
const LIMIT_MS = 20_000 + RUNS * 100;

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';
const app = fc.constantFrom('a', 'b');
const key = fc.constantFrom(ZONE, HOST);

const term = fc.record({ app, topologyKey: key }).map((each) => ({
  topologyKey: each.topologyKey,
  labelSelector: { matchLabels: { app: each.app } },
}));

interface PodShape {
  readonly app: string;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly priority: number;
  readonly tolerant: boolean;
  readonly near: readonly ReturnType<typeof toTerm>[];
  readonly apart: readonly ReturnType<typeof toTerm>[];
  readonly wish: readonly ReturnType<typeof toTerm>[];
  readonly spread: number;
  readonly spreadKey: string;
}

const toTerm = (topologyKey: string, name: string) => ({
  topologyKey,
  labelSelector: { matchLabels: { app: name } },
});

const shape: fc.Arbitrary<PodShape> = fc.record({
  app,
  cpu: fc.constantFrom(undefined, '1', '2', '3'),
  memory: fc.constantFrom(undefined, '1Gi', '3Gi'),
  priority: fc.integer({ min: 0, max: 3 }),
  tolerant: fc.boolean(),
  near: fc.array(term, { maxLength: 1 }),
  apart: fc.array(term, { maxLength: 1 }),
  wish: fc.array(term, { maxLength: 2 }),
  spread: fc.integer({ min: 0, max: 2 }),
  spreadKey: key,
});

function toPod(name: string, of: PodShape): PodBuilder {
  const requests = Object.fromEntries(
    Object.entries({ cpu: of.cpu, memory: of.memory }).filter(([, v]) => v !== undefined),
  ) as Record<string, string>;
  const built = pod(name).requests(requests).labels({ app: of.app }).priority(of.priority);
  if (of.tolerant) built.tolerating({ key: 'dedicated', operator: 'Exists' });
  built.affinity({
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [...of.near],
      preferredDuringSchedulingIgnoredDuringExecution: of.wish.map((podAffinityTerm, i) => ({
        podAffinityTerm,
        weight: i + 1,
      })),
    },
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [...of.apart] },
  });
  if (of.spread > 0)
    built.spread({
      maxSkew: of.spread,
      topologyKey: of.spreadKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: of.app } },
    });
  return built;
}

const nodeShape = fc.record({
  cpu: fc.constantFrom('2', '4'),
  zone: fc.constantFrom(undefined, 'x', 'y'),
  tainted: fc.boolean(),
});

const toNode = (name: string, of: { cpu: string; zone: string | undefined; tainted: boolean }) => {
  const built: NodeBuilder = node(name).allocatable({ cpu: of.cpu, memory: '4Gi', pods: '4' });
  if (of.zone) built.zone(of.zone);
  if (of.tainted) built.tainted({ key: 'dedicated', effect: 'NoSchedule' });
  return built;
};

/** What happens to the cluster: a pod comes to a node, one leaves, or a node changes. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('come' as const), shape, at: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), at: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('node' as const), nodeShape, at: fc.nat(9) }),
  },
);

const world = fc.record({
  nodes: fc.array(nodeShape, { minLength: 1, maxLength: 4 }),
  steps: fc.array(step, { maxLength: 12 }),
  asked: fc.array(shape, { minLength: 1, maxLength: 2 }),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const PLUGINS = [taintToleration, nodeResourcesFit, podTopologySpread, interPodAffinity];

class Twin {
  readonly bench = new PluginBench(PLUGINS, {});
  readonly nodes = new Map<string, Node>();
  readonly pods = new Map<string, Pod>();

  get plain() {
    return { nodes: [...this.nodes.values()], pods: [...this.pods.values()] };
  }

  setNode(built: NodeBuilder): void {
    const object = built.build();
    this.nodes.set(object.metadata.name ?? '', object);
    this.bench.cache.setNode(object);
  }

  apply(each: World['steps'][number], i: number): void {
    const names = [...this.nodes.keys()];
    const name = names[each.at % names.length] ?? '';
    if (each.kind === 'node') this.setNode(toNode(name, each.nodeShape));
    else if (each.kind === 'leave') {
      const gone = [...this.pods.keys()][each.at % Math.max(1, this.pods.size)];
      if (gone === undefined) return;
      this.bench.cache.removePod(this.pods.get(gone)?.metadata.uid ?? '');
      this.pods.delete(gone);
    } else {
      const startedAt = `2026-01-01T00:00:${String(10 + i)}Z`;
      const come = toPod(`p${i}`, each.shape).on(name).startedAt(startedAt).build();
      this.pods.set(`p${i}`, come);
      this.bench.cache.setPod(toPodInfo(come));
    }
  }

  /** Feasible nodes as the framework finds them, with what it remembers of earlier tries. */
  feasible(asked: Pod): string[] {
    const { framework, cache } = this.bench;
    const info = toPodInfo(asked);
    const state = new CycleState();
    if (!isSuccess(framework.preFilter(state, info).status)) return [];
    const verdicts = framework.verdictsFor(info);
    return cache
      .list()
      .filter((each) => isSuccess(framework.filterKnown(state, info, each, verdicts)))
      .map(({ name }) => name);
  }
}

/** Plays the world on both sides; after each step both are asked about each pod. */
function play({ nodes, steps, asked }: World, check: (twin: Twin, pod: Pod) => void): void {
  const twin = new Twin();
  nodes.forEach((each, i) => {
    twin.setNode(toNode(`n${i}`, each));
  });
  const pods = asked.map((each, i) => toPod(`asked-${i}`, { ...each }).build());
  for (const [i, each] of [undefined, ...steps].entries()) {
    if (each) twin.apply(each, i);
    for (const one of pods) check(twin, one);
  }
}

describe('the framework beside a slow, obvious reference', () => {
  it(
    'finds the same nodes feasible after any history',
    () => {
      fc.assert(
        fc.property(world, (each) => {
          play(each, (twin, asked) => {
            const want = twin.plain.nodes.filter((to) => isFeasible(twin.plain, asked, to));
            expect(twin.feasible(asked).sort()).toEqual(want.map((to) => to.metadata.name).sort());
          });
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    'gives the same scores',
    () => {
      fc.assert(
        fc.property(world, (each) => {
          play(each, (twin, asked) => {
            const { framework, cache } = twin.bench;
            const info = toPodInfo(asked);
            const verdicts = framework.verdictsFor(info);
            const state = new CycleState();
            const all = framework.scoring.byPlugin(state, info, cache.list(), verdicts);
            const names = cache.list().map(({ name }) => name);
            const scoreOf = (plugin: string) => all.find((one) => one.plugin === plugin)?.scores;
            const inOrder = names.flatMap((name) => twin.nodes.get(name) ?? []);
            expect(scoreOf('NodeResourcesFit')).toEqual(
              inOrder.map((to) => leastAllocated(twin.plain, asked, to)),
            );
            const sums = inOrder.map((to) => preference(twin.plain, asked, to));
            const [least, most] = [Math.min(...sums), Math.max(...sums)];
            const want = sums.map((sum) =>
              most > least ? Math.trunc((100 * (sum - least)) / (most - least)) : 0,
            );
            expect(scoreOf('InterPodAffinity') ?? names.map(() => 0)).toEqual(want);
          });
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    'picks the victims that giving places back in order of importance leaves',
    () => {
      fc.assert(
        fc.property(world, (each) => {
          const calm = { near: [], apart: [], spread: 0 };
          const quiet = {
            ...each,
            steps: each.steps.map((s) =>
              s.kind === 'come' ? { ...s, shape: { ...s.shape, ...calm } } : s,
            ),
            asked: each.asked.map((s) => ({ ...s, ...calm, priority: 3 })),
          };
          play(quiet, (twin, asked) => {
            const info = toPodInfo(asked);
            const { framework, cache } = twin.bench;
            const state = new CycleState();
            framework.preFilter(state, info);
            for (const to of cache.list()) {
              if (isSuccess(framework.filter(state, info, to))) continue;
              const found = findVictims(to, { filters: framework, state, pod: info, budgets: [] });
              const victims = 'code' in found ? undefined : found.victims.map(({ name }) => name);
              const object = twin.nodes.get(to.name);
              const want = object && victimsOn(twin.plain, asked, object);
              expect(victims?.sort()).toEqual(want && [...want].sort());
            }
          });
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );
});
