import { describe, expect, it } from '@jest/globals';
import type { Pod, Service } from '@orrery/api';
import { TRIGGER_TIME, TriggerTimes, stamped } from './trigger-times.js';

const at = (seconds: number): string => `2026-01-01T00:00:${String(seconds).padStart(2, '0')}Z`;
const service = (made: number): Service => ({
  metadata: { namespace: 'a', name: 'web', creationTimestamp: at(made) },
  spec: {},
});
const pod = (name: string, ready?: number): Pod => ({
  metadata: { namespace: 'a', name },
  spec: { containers: [] },
  status: {
    conditions:
      ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(ready) }],
  },
});

describe('TriggerTimes', () => {
  it.each<{ name: string; before?: [number, Pod[]]; now: [number, Pod[]]; want?: number }>([
    { name: 'a new Service', now: [5, []], want: 5 },
    { name: 'a Service that is younger than its pods', now: [5, [pod('x', 3)]], want: 3 },
    { name: 'nothing new', before: [5, [pod('x', 7)]], now: [5, [pod('x', 7)]] },
    { name: 'a pod that got ready', before: [5, [pod('x')]], now: [5, [pod('x', 8)]], want: 8 },
    {
      name: 'the first of two',
      before: [5, [pod('x', 6), pod('y', 6)]],
      now: [5, [pod('x', 9), pod('y', 8)]],
      want: 8,
    },
    { name: 'a pod that went', before: [5, [pod('x', 6)]], now: [5, []] },
    { name: 'a Service made again', before: [5, []], now: [9, []], want: 9 },
  ])('$name: $want', ({ before, now, want }) => {
    const times = new TriggerTimes();
    if (before) times.next(service(before[0]), before[1]);
    expect(times.next(service(now[0]), now[1])).toBe(want === undefined ? undefined : at(want));
  });

  it('begins anew for a Service that was forgotten', () => {
    const times = new TriggerTimes();
    times.next(service(5), [pod('x', 6)]);
    times.forget({ namespace: 'a', name: 'web' });
    expect(times.next(service(5), [pod('x', 6)])).toBe(at(5));
  });
});

describe('stamped()', () => {
  it('puts a time on, and takes an old one off', () => {
    const object = { metadata: { annotations: { own: 'x', [TRIGGER_TIME]: at(1) } } };
    expect(stamped(object, at(2)).metadata.annotations).toEqual({
      own: 'x',
      [TRIGGER_TIME]: at(2),
    });
    expect(stamped(object, undefined).metadata.annotations).toEqual({ own: 'x' });
    expect(object.metadata.annotations[TRIGGER_TIME]).toBe(at(1));
  });
});
