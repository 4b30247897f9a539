import { describe, expect, it } from '@jest/globals';
import { Pressure } from './growth.js';

const after = (...notes: readonly [utilization: number, relays: boolean][]): boolean => {
  const pressure = new Pressure();
  for (const note of notes) pressure.note(...note);
  return pressure.isHigh;
};

describe('when another process of a dataplane would help', () => {
  it.each<[string, readonly [number, boolean][], boolean]>([
    ['busy with connections three times in a row', Array(3).fill([0.9, true]), true],
    ['busy twice', Array(2).fill([0.9, true]), false],
    ['busy with something else, as in the start of a node', Array(20).fill([1, false]), false],
    ['with connections, and time', Array(20).fill([0.3, true]), false],
    [
      'interrupted by a rest',
      [
        [0.9, true],
        [0.9, true],
        [0.1, true],
        [0.9, true],
      ],
      false,
    ],
  ])('%s', (_, notes, isHigh) => {
    expect(after(...notes)).toBe(isHigh);
  });

  it('asks for one at a time', () => {
    const pressure = new Pressure();
    for (let i = 0; i < 3; i++) pressure.note(1, true);
    pressure.relieve();
    pressure.note(1, true);
    expect(pressure.isHigh).toBe(false);
  });
});
