import { describe, expect, it } from '@jest/globals';
import { gateOf } from './gate.js';

describe('gateOf', () => {
  it('lets so many through at a time, the others in order, and goes on after a failure', async () => {
    const gate = gateOf(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const results = [0, 1, 2, 3].map((i) =>
      gate(async () => {
        begun.push(i);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 0) throw new Error('refused');
        return i;
      }).catch(() => -1),
    );
    expect(begun).toEqual([0, 1]);
    ends[0]?.();
    expect(await results[0]).toBe(-1);
    expect(begun).toEqual([0, 1, 2]);
    ends[1]?.();
    await results[1];
    expect(begun).toEqual([0, 1, 2, 3]);
    for (const end of ends) end();
    expect(await Promise.all(results)).toEqual([-1, 1, 2, 3]);
  });
});
