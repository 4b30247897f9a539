import { describe, expect, it } from '@jest/globals';
import { CycleState } from '../../framework/cycle-state.js';
import type { PostFilterResult } from '../../framework/plugin.js';
import { unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { node, pod } from '../../../test/builders.js';
import type { PodBuilder } from '../../../test/builders.js';
import { PluginBench } from '../../../test/plugin-context.js';
import { nodeResourcesFit } from '../node-resources-fit/node-resources-fit.plugin.js';
import { pickCandidate } from './candidate.js';
import type { Candidate } from './candidate.js';
import { defaultPreemption } from './default-preemption.plugin.js';
import { findVictims } from './find-victims.js';

const running = (name: string, cpu: string, priority: number): PodBuilder =>
  pod(name).requests({ cpu }).priority(priority).startedAt('2026-01-01T00:00:00Z').on('n1');

interface VictimCase {
  readonly name: string;
  readonly pods: readonly PodBuilder[];
  readonly budgets?: readonly object[];
  readonly want: readonly string[] | string;
}

const budget = (app: string, disruptionsAllowed: number): object => ({
  metadata: { name: app, namespace: 'default' },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed },
});

const reasonsOf = (result: PostFilterResult | Promise<PostFilterResult> | undefined) =>
  result && 'status' in result ? result.status.reasons : undefined;

describe('findVictims()', () => {
  it.each<VictimCase>([
    {
      name: 'spares the most important that can stay',
      pods: [running('a', '1', 5), running('b', '1', 1), running('c', '2', 3)],
      want: ['c'],
    },
    {
      name: 'takes as many as it must',
      pods: [running('a', '2', 1), running('b', '2', 2)],
      want: ['a'],
    },
    {
      name: 'spares those whose budget forbids it before others of more importance',
      pods: [running('a', '2', 1).labels({ app: 'x' }), running('b', '2', 2)],
      budgets: [budget('x', 0)],
      want: ['b'],
    },
    {
      name: 'leaves equals alone',
      pods: [running('a', '4', 10)],
      want: 'No preemption victims found for incoming pod',
    },
    {
      name: 'gives up when the important ones take too much',
      pods: [running('a', '3', 20), running('b', '1', 1)],
      want: 'Insufficient cpu',
    },
  ])('$name', ({ pods, budgets = [], want }) => {
    const bench = new PluginBench([nodeResourcesFit], { nodes: [node('n1')], pods });
    const n1 = bench.cache.get('n1');
    if (!n1) throw new Error('there is no n1');
    const found = findVictims(n1, {
      filters: bench.framework,
      state: new CycleState(),
      pod: pod('new').requests({ cpu: '2' }).priority(10).info(),
      budgets: budgets as never,
    });
    const got = 'code' in found ? found.reasons.join() : found.victims.map((v) => v.name);
    expect(got).toEqual(want);
  });
});

interface PickCase {
  readonly name: string;
  readonly candidates: readonly Candidate[];
}

const candidate = (nodeName: string, priorities: number[], violations = 0): Candidate => ({
  nodeName,
  violations,
  victims: priorities.map((priority, i) => pod(`${nodeName}-${i}`).priority(priority).info()),
});
const started = (nodeName: string, at: string): Candidate => ({
  nodeName,
  violations: 0,
  victims: [pod(nodeName).startedAt(at).info()],
});

describe('pickCandidate()', () => {
  it.each<PickCase>([
    {
      name: 'breaks the fewest budgets',
      candidates: [candidate('no', [1], 1), candidate('yes', [9])],
    },
    {
      name: 'has the least important first victim',
      candidates: [candidate('no', [5]), candidate('yes', [4, 4])],
    },
    {
      name: 'has the smallest sum of priorities',
      candidates: [candidate('no', [5, 4]), candidate('yes', [5, 3])],
    },
    {
      name: 'counts a victim more than its negative priority',
      candidates: [candidate('no', [-1, -9]), candidate('yes', [-1])],
    },
    {
      name: 'has the latest started victim',
      candidates: [started('no', '2026-01-01T00:00:00Z'), started('yes', '2026-01-02T00:00:00Z')],
    },
    { name: 'is the first of equals', candidates: [candidate('yes', [1]), candidate('no', [1])] },
  ])('$name', ({ candidates }) => {
    expect(pickCandidate(candidates)?.nodeName).toBe('yes');
  });
});

describe('DefaultPreemption', () => {
  const post = (wanted: PodBuilder, statuses: Record<string, Status>) => {
    const nodes = Object.keys(statuses).map((name) => node(name));
    const pods = [running('low', '4', 1)];
    const bench = new PluginBench([nodeResourcesFit, defaultPreemption], { nodes, pods });
    return bench.framework.postFilter(new CycleState(), wanted.info(), {
      allNodes: nodes.length,
      statuses: new Map(Object.entries(statuses)),
      plugins: new Set(),
    });
  };
  const high = pod('high').requests({ cpu: '4' }).priority(10);

  it('nominates the node that it frees', () => {
    const result = post(high, { n1: unschedulable('Insufficient cpu'), n2: unresolvable('taint') });
    expect(result).toMatchObject({ status: { code: 'Success' }, nominatedNode: 'n1' });
  });

  it('says why no node can be freed', () => {
    const result = post(pod('same').requests({ cpu: '4' }).priority(1), {
      n1: unschedulable('Insufficient cpu'),
      n2: unresolvable('taint'),
    });
    expect(reasonsOf(result)).toEqual([
      'preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, ' +
        '1 Preemption is not helpful for scheduling.',
    ]);
  });

  it('leaves others alone when the pod is not to preempt', () => {
    const result = post(high.spec({ preemptionPolicy: 'Never' }), { n1: unschedulable('x') });
    expect(reasonsOf(result)).toEqual(['preemption: not eligible due to preemptionPolicy=Never.']);
  });
});
