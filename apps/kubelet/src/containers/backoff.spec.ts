import { describe, expect, it } from '@jest/globals';
import { Backoff, toGoSeconds } from './backoff.js';

describe('Backoff', () => {
  it('does not delay the first restart and doubles from 10 s to 5 min', () => {
    let now = 0;
    const backoff = new Backoff(() => now);
    const delays: string[] = [];
    expect(backoff.remaining('k', now)).toBe(0);
    for (let i = 0; i < 7; i++) {
      backoff.next('k', now);
      delays.push(toGoSeconds(backoff.get('k')));
      now += backoff.get('k');
    }
    expect(delays).toEqual(['10s', '20s', '40s', '1m20s', '2m40s', '5m0s', '5m0s']);
  });

  it('starts anew after the container ran for ten minutes', () => {
    let now = 0;
    const backoff = new Backoff(() => now);
    backoff.next('k', 0);
    backoff.next('k', 0);
    now = 700_000;
    expect(backoff.remaining('k', now)).toBe(0);
    backoff.next('k', now);
    expect(backoff.get('k')).toBe(10_000);
  });

  it('counts the wait from the time of the failure', () => {
    const backoff = new Backoff(() => 15_000);
    backoff.next('k', 14_000);
    expect(backoff.remaining('k', 12_000)).toBe(7_000);
  });
});
