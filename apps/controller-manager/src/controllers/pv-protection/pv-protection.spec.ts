import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume } from '@orrery/api';
import { PROTECTION, wantedFinalizers } from './pv-protection.reconciler.js';

const volume = (finalizers: string[], phase: string, going = false): PersistentVolume =>
  ({
    metadata: { name: 'v', finalizers, ...(going ? { deletionTimestamp: 't' } : {}) },
    status: { phase },
  }) as PersistentVolume;

describe('wantedFinalizers()', () => {
  it.each([
    { name: 'protects every volume', volume: volume(['x'], 'Available'), want: ['x', PROTECTION] },
    {
      name: 'leaves one that is protected',
      volume: volume([PROTECTION], 'Available'),
      want: undefined,
    },
    {
      name: 'holds one that is bound',
      volume: volume([PROTECTION], 'Bound', true),
      want: undefined,
    },
    {
      name: 'lets one go that is free',
      volume: volume(['x', PROTECTION], 'Released', true),
      want: ['x'],
    },
  ])('$name', ({ volume: one, want }) => {
    expect(wantedFinalizers(one)).toEqual(want);
  });
});
