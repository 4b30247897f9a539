import { describe, expect, it } from '@jest/globals';
import { podOf, usageOf } from '../../test/builders.js';
import { CpuRates } from './cri-usage.js';

describe(CpuRates.name, () => {
  it('makes cores of two totals, and keeps the last rate for looks in quick succession', () => {
    const rates = new CpuRates();
    const at = (timestampMs: number, cpuCoreNanoSeconds: number): number | undefined =>
      rates.complete([usageOf(podOf('a'), 0, { timestampMs, cpuCoreNanoSeconds })])[0]
        ?.cpuNanoCores;
    expect(at(1_000, 0)).toBe(0);
    expect(at(3_000, 1_000_000_000)).toBe(500_000_000);
    expect(at(3_100, 9_000_000_000)).toBe(500_000_000);
    expect(at(4_000, 1_000_000_000)).toBe(0);
  });

  it('leaves the rate that the runtime tells', () => {
    const usage = usageOf(podOf('a'), 0, { cpuNanoCores: 7, cpuCoreNanoSeconds: 9 });
    expect(new CpuRates().complete([usage])).toEqual([usage]);
  });
});
