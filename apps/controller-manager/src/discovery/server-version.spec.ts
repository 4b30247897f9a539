import { describe, expect, it } from '@jest/globals';
import { toMinor } from './server-version.js';

describe('toMinor()', () => {
  it.each([
    { name: 'reads a number', version: { major: '1', minor: '36' }, want: 36 },
    { name: 'reads one of a vendor', version: { minor: '20+' }, want: 20 },
    { name: 'takes a server that says nothing for a new one', version: {}, want: Infinity },
  ])('$name', ({ version, want }) => {
    expect(toMinor(version)).toBe(want);
  });
});
