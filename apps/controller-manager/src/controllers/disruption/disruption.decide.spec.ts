import { describe, expect, it } from '@jest/globals';
import type { Pod, PodDisruptionBudget } from '@orrery/api';
import { budgetStatus } from './disruption.decide.js';

const NOW = Date.parse('2026-01-02T03:04:05Z');

const pod = (name: string, ready = true, deleted = false): Pod => ({
  metadata: { name, ...(deleted ? { deletionTimestamp: '2026-01-02T03:04:00Z' } : {}) },
  spec: { containers: [] },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

const budget = (
  spec: Partial<PodDisruptionBudget['spec']>,
  disruptedPods?: Record<string, string>,
): PodDisruptionBudget => ({
  metadata: { name: 'careful', generation: 3 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  ...(disruptedPods
    ? {
        status: {
          currentHealthy: 0,
          desiredHealthy: 0,
          disruptionsAllowed: 0,
          expectedPods: 0,
          disruptedPods,
        },
      }
    : {}),
});

interface Case {
  readonly name: string;
  readonly spec: Partial<PodDisruptionBudget['spec']>;
  readonly pods: Pod[];
  readonly scale?: number;
  readonly want: {
    expectedPods: number;
    desiredHealthy: number;
    currentHealthy: number;
    disruptionsAllowed: number;
  };
}

const three = [pod('a'), pod('b'), pod('c')];

describe('budgetStatus()', () => {
  it.each<Case>([
    {
      name: 'minAvailable as a number',
      spec: { minAvailable: 2 },
      pods: three,
      want: { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 },
    },
    {
      name: 'minAvailable as a percentage rounds up',
      spec: { minAvailable: '50%' },
      pods: three,
      scale: 3,
      want: { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 },
    },
    {
      name: 'maxUnavailable counts from the wanted scale',
      spec: { maxUnavailable: 1 },
      pods: [pod('a'), pod('b', false)],
      scale: 3,
      want: { expectedPods: 3, desiredHealthy: 2, currentHealthy: 1, disruptionsAllowed: 0 },
    },
    {
      name: 'pods that are going are not healthy',
      spec: { minAvailable: 1 },
      pods: [pod('a'), pod('b', true, true)],
      want: { expectedPods: 2, desiredHealthy: 1, currentHealthy: 1, disruptionsAllowed: 0 },
    },
    {
      name: 'no pods, nothing to disrupt',
      spec: { minAvailable: 0 },
      pods: [],
      want: { expectedPods: 0, desiredHealthy: 0, currentHealthy: 0, disruptionsAllowed: 0 },
    },
  ])('$name', ({ spec, pods, scale, want }) => {
    const status = budgetStatus({ budget: budget(spec), pods, scale: scale ?? 0, now: NOW });
    expect(status).toMatchObject({ ...want, observedGeneration: 3 });
  });

  it('counts an evicted pod as gone until it is, two minutes at most', () => {
    const disrupted = {
      a: '2026-01-02T03:04:00Z',
      b: '2026-01-02T03:00:00Z',
      gone: '2026-01-02T03:04:00Z',
    };
    const view = {
      budget: budget({ minAvailable: 1 }, disrupted),
      pods: three,
      scale: 3,
      now: NOW,
    };
    expect(budgetStatus(view)).toMatchObject({
      disruptedPods: { a: '2026-01-02T03:04:00Z' },
      currentHealthy: 2,
      disruptionsAllowed: 1,
    });
  });

  it('allows nothing when the scale is needed and unknown', () => {
    const scale = { problem: 'found no controllers for pod "a"' };
    const view = { budget: budget({ maxUnavailable: 1 }), pods: three, scale, now: NOW };
    const [condition] = budgetStatus(view).conditions ?? [];
    expect(budgetStatus(view).disruptionsAllowed).toBe(0);
    expect(condition).toMatchObject({
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'SyncFailed',
      message: 'found no controllers for pod "a"',
    });
  });
});
