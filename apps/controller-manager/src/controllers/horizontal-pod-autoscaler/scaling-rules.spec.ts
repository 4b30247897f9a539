import { describe, expect, it } from '@jest/globals';
import type { HPAScalingRules } from '@orrery/api';
import { limitByBehavior, limitByDefault, toRules } from './scaling-rules.js';
import type { Behavior, Bounds } from './scaling-rules.js';
import { stabilize, stabilizeDown } from './stabilization.js';

const NOW = 1_000_000_000;
const MINUTE = 60_000;

const behavior = (up?: HPAScalingRules, down?: HPAScalingRules): Behavior => ({
  up: toRules(up, 0, true),
  down: toRules(down, 300_000, false),
});

const bounds = (current: number, desired: number, min = 1, max = 100): Bounds => ({
  current,
  desired,
  min,
  max,
});

const policy = (type: string, value: number, periodSeconds = 60): HPAScalingRules => ({
  policies: [{ type, value, periodSeconds }],
});

const BOTH = [
  { type: 'Pods', value: 5, periodSeconds: 60 },
  { type: 'Percent', value: 10, periodSeconds: 60 },
];

describe('limitByBehavior()', () => {
  it.each([
    {
      name: 'lets through what is within',
      at: bounds(4, 6),
      up: policy('Pods', 4),
      want: [6, 'DesiredWithinRange'],
    },
    { name: 'ends at the maximum', at: bounds(4, 9, 1, 5), want: [5, 'TooManyReplicas'] },
    { name: 'ends at the minimum', at: bounds(4, 1, 3), want: [3, 'TooFewReplicas'] },
    {
      name: 'adds no more pods than a period allows',
      at: bounds(4, 20),
      up: policy('Pods', 4),
      want: [8, 'ScaleUpLimit'],
    },
    {
      name: 'counts what the period has seen',
      at: bounds(7, 20),
      up: policy('Pods', 4),
      added: 3,
      want: [8, 'ScaleUpLimit'],
    },
    {
      name: 'adds nothing when the period is used up',
      at: bounds(9, 20),
      up: policy('Pods', 4),
      added: 5,
      want: [9, 'ScaleUpLimit'],
    },
    {
      name: 'gives back what the period has seen leave',
      at: bounds(7, 20),
      up: policy('Pods', 4),
      removed: 3,
      want: [14, 'ScaleUpLimit'],
    },
    {
      name: 'rounds a share up when it grows',
      at: bounds(5, 20),
      up: policy('Percent', 10),
      want: [6, 'ScaleUpLimit'],
    },
    {
      name: 'takes the boldest policy by default',
      at: bounds(10, 50),
      up: { policies: BOTH },
      want: [15, 'ScaleUpLimit'],
    },
    {
      name: 'takes the most careful one when asked',
      at: bounds(10, 50),
      up: { policies: BOTH, selectPolicy: 'Min' },
      want: [11, 'ScaleUpLimit'],
    },
    {
      name: 'does not grow when that is off',
      at: bounds(10, 50),
      up: { selectPolicy: 'Disabled' },
      want: [10, 'ScaleUpLimit'],
    },
    { name: 'doubles or adds four by default', at: bounds(1, 50), want: [5, 'ScaleUpLimit'] },
    {
      name: 'removes no more pods than a period allows',
      at: bounds(20, 1),
      down: policy('Pods', 3),
      want: [17, 'ScaleDownLimit'],
    },
    {
      name: 'removes at least the share, rounded',
      at: bounds(15, 1),
      down: policy('Percent', 10),
      want: [13, 'ScaleDownLimit'],
    },
    {
      name: 'takes the most careful one when it shrinks',
      at: bounds(100, 1),
      down: { policies: BOTH, selectPolicy: 'Min' },
      want: [95, 'ScaleDownLimit'],
    },
    {
      name: 'takes the boldest one when it shrinks',
      at: bounds(100, 1),
      down: { policies: BOTH },
      want: [90, 'ScaleDownLimit'],
    },
    { name: 'may remove all by default', at: bounds(100, 2), want: [2, 'DesiredWithinRange'] },
    {
      name: 'does not shrink when that is off',
      at: bounds(10, 5),
      down: { selectPolicy: 'Disabled' },
      want: [10, 'ScaleDownLimit'],
    },
  ])('$name', ({ at, up, down, added = 0, removed = 0, want }) => {
    const history = {
      ups: [
        { change: added, at: NOW - MINUTE / 2 },
        { change: 50, at: NOW - 2 * MINUTE },
      ],
      downs: [{ change: removed, at: NOW - MINUTE / 2 }],
    };
    const found = limitByBehavior(at, behavior(up, down), history, NOW);
    expect([found.replicas, found.reason]).toEqual(want);
  });
});

describe('limitByDefault()', () => {
  it.each([
    { name: 'doubles at most', at: bounds(5, 30), want: [10, 'ScaleUpLimit'] },
    { name: 'but four at least', at: bounds(1, 30), want: [4, 'ScaleUpLimit'] },
    { name: 'ends at the maximum', at: bounds(5, 30, 1, 7), want: [7, 'TooManyReplicas'] },
    { name: 'ends at the minimum', at: bounds(5, 1, 2), want: [2, 'TooFewReplicas'] },
  ])('$name', ({ at, want }) => {
    const found = limitByDefault(at);
    expect([found.replicas, found.reason]).toEqual(want);
  });
});

describe('stabilize()', () => {
  const recent = [
    { replicas: 3, at: NOW - 4 * MINUTE },
    { replicas: 9, at: NOW - 2 * MINUTE },
    { replicas: 20, at: NOW - 10 * MINUTE },
  ];
  it.each([
    {
      name: 'keeps the highest of the window before it shrinks',
      current: 10,
      desired: 2,
      up: 0,
      down: 300,
      want: [9, 'ScaleDownStabilized'],
    },
    {
      name: 'keeps the lowest of the window before it grows',
      current: 5,
      desired: 8,
      up: 300,
      down: 0,
      want: [5, 'ScaleUpStabilized'],
    },
    {
      name: 'grows at once without a window',
      current: 5,
      desired: 12,
      up: 0,
      down: 300,
      want: [12, 'ReadyForNewScale'],
    },
    {
      name: 'shrinks at once without a window',
      current: 5,
      desired: 2,
      up: 300,
      down: 0,
      want: [2, 'ReadyForNewScale'],
    },
    {
      name: 'stays where both windows allow it',
      current: 6,
      desired: 8,
      up: 300,
      down: 300,
      want: [6, 'ScaleUpStabilized'],
    },
  ])('$name', ({ current, desired, up, down, want }) => {
    const rules = behavior(
      { stabilizationWindowSeconds: up },
      { stabilizationWindowSeconds: down },
    );
    const found = stabilize(current, desired, recent, { behavior: rules, now: NOW });
    expect([found.replicas, found.reason]).toEqual(want);
  });

  it('keeps the highest of the flag’s window without a behaviour', () => {
    const window = { windowMs: 5 * MINUTE, now: NOW };
    expect(stabilizeDown(2, recent, window)).toMatchObject({ replicas: 9 });
    expect(stabilizeDown(12, recent, window)).toMatchObject({ reason: 'ReadyForNewScale' });
  });
});
