import { describe, expect, it } from '@jest/globals';
import type { Taint, Toleration } from '@orrery/api';
import { tolerates } from './tolerations.js';

const taint: Taint = { key: 'k', value: 'v', effect: 'NoSchedule' };

interface Case {
  readonly name: string;
  readonly toleration: Toleration;
  readonly want: boolean;
}

describe('tolerates()', () => {
  it.each<Case>([
    {
      name: 'key, value and effect',
      toleration: { key: 'k', value: 'v', effect: 'NoSchedule' },
      want: true,
    },
    { name: 'any effect', toleration: { key: 'k', operator: 'Equal', value: 'v' }, want: true },
    {
      name: 'another effect',
      toleration: { key: 'k', value: 'v', effect: 'NoExecute' },
      want: false,
    },
    { name: 'another value', toleration: { key: 'k', value: 'w' }, want: false },
    { name: 'any value by Exists', toleration: { key: 'k', operator: 'Exists' }, want: true },
    { name: 'another key', toleration: { key: 'l', operator: 'Exists' }, want: false },
    { name: 'everything', toleration: { operator: 'Exists' }, want: true },
  ])('$name', ({ toleration, want }) => {
    expect(tolerates(toleration, taint)).toBe(want);
  });
});
