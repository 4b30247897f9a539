import { describe, expect, it } from '@jest/globals';
import type { DaemonSet, Node, Pod } from '@orrery/api';
import { planDaemons } from './daemonset.decide.js';

const NOW = Date.parse('2026-01-01T01:00:00Z');

const node = (name: string, taint?: string): Node => ({
  metadata: { name },
  spec: taint ? { taints: [{ key: 'k', effect: taint as 'NoSchedule' }] } : {},
});

interface Shape {
  readonly hash?: string;
  readonly ready?: boolean;
  readonly phase?: string;
  readonly leaving?: boolean;
  readonly born?: number;
}

/** `n1:old` is the pod of hash "old" on n1. */
function pod(nodeName: string, shape: Shape = {}): Pod {
  const { hash = 'new', ready = true, phase = 'Running', leaving, born = 0 } = shape;
  return {
    metadata: {
      name: `${nodeName}:${hash}${born || ''}`,
      labels: { 'controller-revision-hash': hash },
      creationTimestamp: new Date(NOW - 3_600_000 + born * 1000).toISOString(),
      ...(leaving ? { deletionTimestamp: 't' } : {}),
    },
    spec: { nodeName, containers: [] },
    status: {
      phase,
      conditions: [
        {
          type: 'Ready',
          status: ready ? 'True' : 'False',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  } as Pod;
}

const set = (rollingUpdate: object = {}, type = 'RollingUpdate'): DaemonSet =>
  ({
    metadata: { name: 'd' },
    spec: { template: { spec: { containers: [] } }, updateStrategy: { type, rollingUpdate } },
  }) as unknown as DaemonSet;

const NODES = ['n1', 'n2', 'n3'].map((name) => node(name));
const old = (name: string, more: Shape = {}): Pod => pod(name, { hash: 'old', ...more });
const surge = { maxSurge: 1, maxUnavailable: 0 };

describe('planDaemons()', () => {
  it.each<{
    name: string;
    set?: DaemonSet;
    nodes?: Node[];
    pods: Pod[];
    create?: string[];
    remove?: string[];
    /** Of those removed, the ones that a replacement is for. */
    ended?: string[];
    resting?: string[];
  }>([
    { name: 'gives each node a pod', pods: [pod('n1')], create: ['n2', 'n3'] },
    { name: 'waits for a leaving pod', pods: [pod('n1', { leaving: true }), pod('n2'), pod('n3')] },
    {
      name: 'keeps pods on cordoned nodes and starts none',
      nodes: [node('n1', 'NoSchedule'), node('n2', 'NoSchedule')],
      pods: [pod('n1')],
    },
    {
      name: 'takes pods from nodes that refuse them',
      nodes: [node('n1', 'NoExecute')],
      pods: [pod('n1')],
      remove: ['n1:new'],
    },
    {
      name: 'takes pods from nodes that are gone',
      nodes: [],
      pods: [pod('n1')],
      remove: ['n1:new'],
    },
    {
      name: 'replaces failed pods',
      pods: [pod('n1', { phase: 'Failed' }), pod('n2'), pod('n3')],
      remove: ['n1:new'],
      ended: ['n1:new'],
    },
    {
      name: 'replaces pods that have succeeded',
      resting: ['n1'],
      pods: [pod('n1', { phase: 'Succeeded' }), pod('n2'), pod('n3')],
      remove: ['n1:new'],
      ended: ['n1:new'],
    },
    {
      name: 'waits where pods have failed of late',
      resting: ['n1'],
      pods: [pod('n1', { phase: 'Failed' }), pod('n2', { phase: 'Failed' }), pod('n3')],
      remove: ['n2:new'],
      ended: ['n2:new'],
    },
    {
      name: 'does not wait with pods that nodes refuse',
      nodes: [node('n1', 'NoExecute')],
      resting: ['n1'],
      pods: [pod('n1', { phase: 'Failed' })],
      remove: ['n1:new'],
    },
    {
      name: 'keeps the older of two',
      nodes: [node('n1')],
      pods: [pod('n1', { born: 2 }), pod('n1', { born: 1 })],
      remove: ['n1:new2'],
    },
    { name: 'updates one at a time', pods: [old('n1'), old('n2'), old('n3')], remove: ['n1:old'] },
    {
      name: 'updates a share at a time',
      set: set({ maxUnavailable: '50%' }),
      pods: [old('n1'), old('n2'), old('n3')],
      remove: ['n1:old', 'n2:old'],
    },
    { name: 'waits for the new pod', pods: [pod('n1', { ready: false }), old('n2'), old('n3')] },
    {
      name: 'updates at once what serves nobody',
      pods: [old('n1', { ready: false }), old('n2', { ready: false }), old('n3')],
      remove: ['n1:old', 'n2:old'],
    },
    {
      name: 'leaves pods that are updated on deletion',
      set: set({}, 'OnDelete'),
      pods: [old('n1'), old('n2'), old('n3')],
    },
    {
      name: 'surges onto one node',
      set: set(surge),
      pods: [old('n1'), old('n2'), old('n3')],
      create: ['n1'],
    },
    {
      name: 'surges onto a share of nodes',
      set: set({ ...surge, maxSurge: '60%' }),
      pods: [old('n1'), old('n2'), old('n3')],
      create: ['n1', 'n2'],
    },
    {
      name: 'waits for the surging pod',
      set: set(surge),
      pods: [old('n1'), pod('n1', { ready: false }), old('n2'), old('n3')],
    },
    {
      name: 'takes the old pod once the new one is available',
      set: set(surge),
      pods: [old('n1'), pod('n1'), old('n2'), old('n3')],
      remove: ['n1:old'],
    },
    {
      name: 'takes the old pod at once when it is not ready',
      set: set(surge),
      pods: [old('n1', { ready: false }), pod('n1', { ready: false }), old('n2'), old('n3')],
      remove: ['n1:old'],
    },
    {
      name: 'surges at once where the old pod serves nobody',
      set: set(surge),
      pods: [old('n1'), pod('n1', { ready: false }), old('n2', { ready: false }), old('n3')],
      create: ['n2'],
    },
  ])('$name', ({ set: daemonSet = set(), nodes = NODES, pods, resting = [], ...want }) => {
    const isResting = (name: string): boolean => resting.includes(name);
    const plan = planDaemons({
      daemonSet,
      nodes,
      pods,
      isResting,
      hash: 'new',
      collisions: 0,
      now: NOW,
    });
    const names = (some: readonly Pod[]) => some.map(({ metadata }) => metadata.name);
    expect(plan.create).toEqual(want.create ?? []);
    expect(names(plan.remove)).toEqual(want.remove ?? []);
    expect(names(plan.ended)).toEqual(want.ended ?? []);
  });
});
