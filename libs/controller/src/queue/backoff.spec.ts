import { describe, expect, it } from '@jest/globals';
import { Backoff } from './backoff.js';

const LIMITS = { initialMs: 10_000, maxMs: 300_000 };

describe('Backoff', () => {
  it('does not delay the first restart and doubles from 10 s to 5 min', () => {
    let now = 0;
    const backoff = new Backoff(() => now, LIMITS);
    const delays: number[] = [];
    expect(backoff.remaining('k', now)).toBe(0);
    for (let i = 0; i < 7; i++) {
      backoff.next('k', now);
      delays.push(backoff.get('k') / 1000);
      now += backoff.get('k');
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('starts anew after the container ran for ten minutes', () => {
    let now = 0;
    const backoff = new Backoff(() => now, LIMITS);
    backoff.next('k', 0);
    backoff.next('k', 0);
    now = 700_000;
    expect(backoff.remaining('k', now)).toBe(0);
    backoff.next('k', now);
    expect(backoff.get('k')).toBe(10_000);
  });

  it('forgets what would start anew, and nothing else', () => {
    let now = 0;
    const backoff = new Backoff(() => now, LIMITS);
    backoff.next('old', 0);
    now = 500_000;
    backoff.next('new', now);
    now = 700_000;
    backoff.collect();
    expect([backoff.get('old'), backoff.get('new')]).toEqual([0, 10_000]);
  });

  it('counts the wait from the time of the failure', () => {
    const backoff = new Backoff(() => 15_000, LIMITS);
    backoff.next('k', 14_000);
    expect(backoff.remaining('k', 12_000)).toBe(7_000);
  });
});
