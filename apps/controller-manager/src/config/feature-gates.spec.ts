import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@orrery/component';
import { toFeatureGates } from './feature-gates.js';

describe('toFeatureGates()', () => {
  it.each([
    { name: 'has all off', terms: [], want: false },
    { name: 'turns on', terms: ['StorageVersionAPI=true'], want: true },
    {
      name: 'turns off',
      terms: ['StorageVersionAPI=true', 'StorageVersionAPI=false'],
      want: false,
    },
  ])('$name', ({ terms, want }) => {
    expect(toFeatureGates(terms).StorageVersionAPI).toBe(want);
  });

  it.each([
    { name: 'a feature that is none here', term: 'Nothing=true' },
    { name: 'a feature without a value', term: 'StorageVersionAPI' },
    { name: 'what every object has', term: 'toString=true' },
  ])('refuses $name', ({ term }) => {
    expect(() => toFeatureGates([term])).toThrow(ConfigError);
  });
});
