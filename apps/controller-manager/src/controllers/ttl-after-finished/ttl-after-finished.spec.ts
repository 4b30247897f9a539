import { describe, expect, it } from '@jest/globals';
import type { Job } from '@orrery/api';
import { remainingMs } from './ttl-after-finished.reconciler.js';

const END = '2026-01-01T00:00:00Z';
const NOW = Date.parse(END) + 10_000;

const job = (type: string, ttl?: number): Job =>
  ({
    metadata: { name: 'j' },
    spec: { template: {}, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) },
    status: { conditions: [{ type, status: 'True', lastTransitionTime: END }] },
  }) as Job;

describe('remainingMs()', () => {
  it.each([
    { name: 'a job without a time to live stays', job: job('Complete'), want: undefined },
    { name: 'a job that has not finished stays', job: job('Suspended', 0), want: undefined },
    { name: 'a complete job has its time', job: job('Complete', 15), want: 5_000 },
    { name: 'a failed job goes when its time is over', job: job('Failed', 0), want: -10_000 },
  ])('$name', ({ job: of, want }) => {
    expect(remainingMs(of, NOW)).toBe(want);
  });
});
