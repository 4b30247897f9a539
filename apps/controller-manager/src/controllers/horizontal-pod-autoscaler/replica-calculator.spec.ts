import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import type { PodMetrics } from './pod-groups.js';
import { forPodAverage, forSharedValue, forUtilization, forValue } from './replica-calculator.js';
import type { Scope } from './replica-calculator.js';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

type PodState = 'ready' | 'unready' | 'pending' | 'failed' | 'leaving' | 'starting';

/** A pod that requests one cpu. */
function pod(index: number, state: PodState): Pod {
  const isReady = state === 'ready' || state === 'failed' || state === 'leaving';
  return {
    metadata: {
      name: `p${index}`,
      ...(state === 'leaving' ? { deletionTimestamp: ago(0) } : {}),
    },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] },
    status: {
      phase: state === 'pending' ? 'Pending' : state === 'failed' ? 'Failed' : 'Running',
      startTime: ago(state === 'starting' ? 60_000 : 3_600_000),
      conditions: [
        {
          type: 'Ready',
          status: isReady ? 'True' : 'False',
          lastTransitionTime: ago(state === 'starting' ? 30_000 : 1_800_000),
        },
      ],
    },
  } as unknown as Pod;
}

const usage = (values: readonly (number | undefined)[]): PodMetrics =>
  new Map(
    values.flatMap((value, i) =>
      value === undefined ? [] : [[`p${i}`, { at: NOW, windowMs: 60_000, value }] as const],
    ),
  );

const scope = (states: readonly PodState[], tolerance = 0.1): Scope => ({
  current: states.length,
  pods: states.map((state, i) => pod(i, state)),
  tolerances: { up: tolerance, down: tolerance },
  readiness: { now: NOW, cpuInitializationMs: 300_000, initialReadinessMs: 30_000 },
});

interface Case {
  name: string;
  states: PodState[];
  /** Thousandths of a cpu, by pod. */
  used: (number | undefined)[];
  target: number;
  want: number;
  wantPercent: number;
}

const READY3: PodState[] = ['ready', 'ready', 'ready'];

describe('forUtilization()', () => {
  it.each<Case>([
    {
      name: 'stays within the tolerance',
      states: READY3,
      used: [540, 540, 540],
      target: 50,
      want: 3,
      wantPercent: 54,
    },
    {
      name: 'grows by the ratio',
      states: READY3,
      used: [300, 500, 700],
      target: 30,
      want: 5,
      wantPercent: 50,
    },
    {
      name: 'shrinks by the ratio',
      states: [...READY3, 'ready', 'ready'],
      used: [100, 300, 500, 250, 250],
      target: 50,
      want: 3,
      wantPercent: 28,
    },
    {
      name: 'takes pods without metrics for idle before it grows',
      states: [...READY3, 'ready'],
      used: [undefined, 500, 700, 900],
      target: 60,
      want: 4,
      wantPercent: 70,
    },
    {
      name: 'takes pods without metrics for busy before it shrinks',
      states: [...READY3, 'ready', 'ready'],
      used: [100, 300, 500, 250, undefined],
      target: 50,
      want: 5,
      wantPercent: 28,
    },
    {
      name: 'takes starting pods for idle before it grows',
      states: ['starting', 'starting', 'ready'],
      used: [400, 500, 700],
      target: 30,
      want: 3,
      wantPercent: 70,
    },
    {
      name: 'takes pending pods for idle before it grows',
      states: ['pending', 'ready', 'ready'],
      used: [undefined, 900, 900],
      target: 50,
      want: 4,
      wantPercent: 90,
    },
    {
      name: 'does not count ended and leaving pods',
      states: ['failed', 'leaving', 'ready'],
      used: [900, 900, 900],
      target: 50,
      want: 2,
      wantPercent: 90,
    },
    {
      name: 'counts a pod that was ready once and is no more',
      states: ['unready', 'ready'],
      used: [900, 900],
      target: 50,
      want: 4,
      wantPercent: 90,
    },
  ])('$name', ({ states, used, target, want, wantPercent }) => {
    const wanted = { percent: target, resource: 'cpu', container: '' };
    const found = forUtilization(scope(states), usage(used), wanted);
    expect(found).toMatchObject({ replicas: want, utilization: wantPercent });
  });

  it.each([
    {
      name: 'needs a pod',
      states: [] as PodState[],
      want: 'no pods returned by selector while calculating replica count',
    },
    {
      name: 'needs a measured pod',
      states: ['ready'] as PodState[],
      want: 'did not receive metrics for any ready pods',
    },
  ])('$name', ({ states, want }) => {
    const target = { percent: 50, resource: 'cpu', container: '' };
    expect(() => forUtilization(scope(states), usage([]), target)).toThrow(want);
  });

  it('names the container without a request', () => {
    const { pods, ...rest } = scope(['ready']);
    const target = { percent: 50, resource: 'memory', container: '' };
    expect(() => forUtilization({ pods, ...rest }, usage([1]), target)).toThrow(
      'missing request for memory in container c of Pod p0',
    );
  });

  it('has a tolerance for each direction', () => {
    const target = { percent: 50, resource: 'cpu', container: '' };
    const wide = { ...scope(READY3), tolerances: { up: 0.5, down: 0 } };
    expect(forUtilization(wide, usage([700, 700, 700]), target).replicas).toBe(3);
    expect(forUtilization(wide, usage([330, 330, 330]), target).replicas).toBe(2);
  });
});

describe('forPodAverage()', () => {
  it.each([
    { name: 'grows', used: [10_000, 20_000, 30_000], target: 10_000, want: 6 },
    { name: 'shrinks', used: [10_000, 10_000, 10_000], target: 30_000, want: 1 },
    { name: 'stays', used: [10_000, 10_000, 10_000], target: 10_500, want: 3 },
    {
      name: 'damps by the missing when it would shrink',
      used: [10_000, 10_000, undefined],
      target: 20_000,
      want: 2,
    },
  ])('$name', ({ used, target, want }) => {
    const metrics = usage(used);
    const found = forPodAverage(scope(READY3), metrics, { value: target, resource: '' });
    expect(found.replicas).toBe(want);
  });
});

describe('forValue()', () => {
  it.each([
    {
      name: 'multiplies the ready pods',
      states: [...READY3, 'unready'] as PodState[],
      value: 20,
      target: 10,
      want: 6,
    },
    { name: 'stays within the tolerance', states: READY3, value: 105, target: 100, want: 3 },
    { name: 'starts from nothing', states: [] as PodState[], value: 25, target: 10, want: 3 },
  ])('$name', ({ states, value, target, want }) => {
    expect(forValue(scope(states), value, target).replicas).toBe(want);
  });
});

describe('forSharedValue()', () => {
  it.each([
    {
      name: 'shares the value among pods',
      observed: 3,
      value: 50_000,
      target: 10_000,
      want: 5,
      each: 16_667,
    },
    {
      name: 'stays within the tolerance',
      observed: 5,
      value: 52_000,
      target: 10_000,
      want: 5,
      each: 10_400,
    },
    { name: 'starts from nothing', observed: 0, value: 50_000, target: 10_000, want: 5, each: 0 },
  ])('$name', ({ observed, value, target, want, each }) => {
    const found = forSharedValue(observed, value, target, { up: 0.1, down: 0.1 });
    expect(found).toEqual({ replicas: want, value: each });
  });
});
