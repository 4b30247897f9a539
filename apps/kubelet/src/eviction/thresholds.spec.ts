import { describe, expect, it } from '@jest/globals';
import { amountOf, parseList, parseThresholds } from './thresholds.js';
import type { EvictionSettings } from './thresholds.js';

const settings = (changes: Partial<EvictionSettings>): EvictionSettings => ({
  hard: {},
  soft: {},
  softGracePeriod: {},
  minimumReclaim: {},
  ...changes,
});

describe('parseThresholds()', () => {
  it('reads amounts and percentages, hard and soft', () => {
    const [memory, disk, soft] = parseThresholds(
      settings({
        hard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
        soft: { 'memory.available': '1Gi' },
        softGracePeriod: { 'memory.available': '90s' },
        minimumReclaim: { 'memory.available': '50Mi' },
      }),
    );
    expect(memory && [amountOf(memory, 1), memory.graceMs, memory.reclaim]).toEqual([
      104_857_600, 0, 52_428_800,
    ]);
    expect(disk && amountOf(disk, 1000)).toBe(100);
    expect(soft?.graceMs).toBe(90_000);
  });

  it('takes nothing for a threshold that is off', () => {
    expect(parseThresholds(settings({ hard: { 'nodefs.available': '0%' } }))).toEqual([]);
  });

  it.each<[string, Partial<EvictionSettings>, string]>([
    [
      'an unknown signal',
      { hard: { 'luck.available': '1' } },
      'unsupported eviction signal luck.available',
    ],
    [
      'a percentage beyond 100',
      { hard: { 'memory.available': '101%' } },
      'must be >= 0% and <= 100%',
    ],
    [
      'no quantity',
      { hard: { 'memory.available': 'much' } },
      'evictionHard.memory.available: much is no quantity',
    ],
    [
      'a soft threshold without grace',
      { soft: { 'memory.available': '1Gi' } },
      'grace period must be specified',
    ],
  ])('refuses %s', (_name, changes, text) => {
    expect(() => parseThresholds(settings(changes))).toThrow(text);
  });
});

describe('parseList()', () => {
  it('reads a flag', () => {
    expect(parseList('memory.available<100Mi, nodefs.available<10%', '<', '--x')).toEqual({
      'memory.available': '100Mi',
      'nodefs.available': '10%',
    });
  });

  it('refuses half a threshold', () => {
    expect(() => parseList('memory.available', '<', '--x')).toThrow('invalid eviction threshold');
  });
});
