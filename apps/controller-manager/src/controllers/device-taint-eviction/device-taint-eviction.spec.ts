import { describe, expect, it } from '@jest/globals';
import type { DeviceTaint, DeviceToleration, ResourceSlice } from '@orrery/api';
import { departureOf, findDevice } from './device-taint-eviction.decide.js';

const T = Date.parse('2026-01-01T00:00:00Z');
const SEEN = T + 5000;

const taint = (more: Partial<DeviceTaint> = {}): DeviceTaint => ({
  key: 'broken',
  effect: 'NoExecute',
  timeAdded: new Date(T).toISOString(),
  ...more,
});
const tolerating = (tolerationSeconds?: number): DeviceToleration => ({
  key: 'broken',
  operator: 'Exists',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

describe('departureOf()', () => {
  it.each([
    { name: 'stays with a device without taints', taints: [], tolerations: [], want: 'never' },
    {
      name: 'stays under taints of other effects',
      taints: [taint({ effect: 'NoSchedule' }), taint({ effect: 'None' })],
      tolerations: [],
      want: 'never',
    },
    { name: 'leaves what it does not tolerate', taints: [taint()], tolerations: [], want: T },
    {
      name: 'leaves from when it was seen, when nobody says since when',
      taints: [{ key: 'broken', effect: 'NoExecute' as const }],
      tolerations: [tolerating(2)],
      want: SEEN + 2000,
    },
    { name: 'stays for good', taints: [taint()], tolerations: [tolerating()], want: 'never' },
    {
      name: 'takes the shortest of its tolerations',
      taints: [taint()],
      tolerations: [tolerating(300), tolerating(60)],
      want: T + 60_000,
    },
    {
      name: 'leaves at once for one taint of two',
      taints: [taint(), taint({ key: 'other' })],
      tolerations: [tolerating()],
      want: T,
    },
    {
      name: 'takes no time below nothing',
      taints: [taint()],
      tolerations: [tolerating(-5)],
      want: T,
    },
  ])('$name', ({ taints, tolerations, want }) => {
    const result = { request: 'r', driver: 'd', pool: 'p', device: 'x', tolerations };
    expect(departureOf(result, { name: 'x', taints }, SEEN)).toBe(want);
  });
});

describe('findDevice()', () => {
  const slice = (generation: number, ...names: string[]): ResourceSlice => ({
    metadata: { name: `s${generation}` },
    spec: {
      driver: 'd',
      pool: { name: 'p', generation, resourceSliceCount: 1 },
      devices: names.map((name) => ({ name })),
    },
  });

  it.each([
    { name: 'one of the newest generation', slices: [slice(1, 'x'), slice(2, 'x')], want: 'x' },
    {
      name: 'none that only was there before',
      slices: [slice(1, 'x'), slice(2, 'y')],
      want: undefined,
    },
    { name: 'none of no slices', slices: [], want: undefined },
  ])('finds $name', ({ slices, want }) => {
    expect(findDevice(slices, 'x')?.name).toBe(want);
  });
});
