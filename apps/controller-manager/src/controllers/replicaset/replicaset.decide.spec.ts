import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { planReplicas, statusOf } from './replicaset.decide.js';

const NOW = Date.parse('2026-01-01T01:00:00Z');

interface Shape {
  node?: string;
  phase?: string;
  ready?: boolean;
  cost?: string;
  age?: number;
}

function pod(
  name: string,
  { node = 'n1', phase = 'Running', ready = true, cost, age = 1000 }: Shape = {},
): Pod {
  const since = new Date(NOW - age * 1000).toISOString();
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: since,
      ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }],
    },
  } as Pod;
}

const owner = (replicas: number) => ({ metadata: { name: 'o', uid: 'o' }, spec: { replicas } });

describe('planReplicas()', () => {
  it.each([
    { name: 'an unscheduled pod', pods: [pod('a'), pod('b', { node: '' })], want: 'b' },
    { name: 'a pending pod', pods: [pod('a', { phase: 'Pending' }), pod('b')], want: 'a' },
    { name: 'a pod that is not ready', pods: [pod('a'), pod('b', { ready: false })], want: 'b' },
    {
      name: 'the cheaper pod',
      pods: [pod('a', { cost: '5' }), pod('b', { cost: '-1' })],
      want: 'b',
    },
    { name: 'the younger pod', pods: [pod('a', { age: 5000 }), pod('b', { age: 10 })], want: 'b' },
  ])('deletes $name first', ({ pods, want }) => {
    const { remove } = planReplicas(owner(1), pods, () => pods, NOW);
    expect(remove.map((p) => p.metadata.name)).toEqual([want]);
  });

  it('deletes from the crowded node first', () => {
    const pods = [pod('a', { node: 'n2', age: 10 }), pod('b'), pod('c')];
    const { remove } = planReplicas(owner(2), pods, () => pods, NOW);
    expect(remove[0]?.spec?.nodeName).toBe('n1');
  });

  it('counts neither terminated nor terminating pods, and creates in bounded bursts', () => {
    const leaving = pod('a');
    leaving.metadata.deletionTimestamp = 'x';
    const pods = [leaving, pod('b', { phase: 'Failed' }), pod('c')];
    expect(planReplicas(owner(3), pods, () => pods, NOW)).toEqual({ create: 2, remove: [] });
    expect(planReplicas(owner(3000), [], () => [], NOW).create).toBe(500);
  });
});

describe('statusOf()', () => {
  const leaving = (name: string, phase: string): Pod => {
    const one = pod(name, { phase });
    return { ...one, metadata: { ...one.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  };
  const pods = [
    pod('a'),
    leaving('b', 'Running'),
    leaving('c', 'Pending'),
    leaving('d', 'Failed'),
    leaving('e', 'Succeeded'),
  ];

  it('counts pods that are on their way out and have not ended', () => {
    const { status } = statusOf({ owner: owner(1), pods, now: NOW, countsTerminating: true });
    expect(status).toMatchObject({ replicas: 1, terminatingReplicas: 2 });
  });

  it('counts labels, readiness and availability, and says when the next is available', () => {
    const set = {
      metadata: { name: 'o', uid: 'o' },
      spec: { minReadySeconds: 60, template: { metadata: { labels: { app: 'x' } } } },
    };
    const labeled = pod('l', { age: 10 });
    labeled.metadata.labels = { app: 'x', other: 'y' };
    const all = [labeled, pod('r', { age: 40 }), pod('n', { ready: false }), pod('o', { age: 61 })];
    const { status, recheckAfterMs } = statusOf({ owner: set, pods: all, now: NOW });
    expect(status).toEqual({
      replicas: 4,
      fullyLabeledReplicas: 1,
      readyReplicas: 3,
      availableReplicas: 1,
    });
    expect(recheckAfterMs).toBe(20_000);
  });

  it('writes that there are none', () => {
    const seen = statusOf({ owner: owner(1), pods: [], now: NOW, countsTerminating: true });
    expect(seen.status.terminatingReplicas).toBe(0);
  });

  it('says nothing to servers and kinds that have no such field', () => {
    const { status } = statusOf({ owner: owner(1), pods, now: NOW });
    expect(status).not.toHaveProperty('terminatingReplicas');
  });
});
