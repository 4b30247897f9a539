import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subQuantities,
} from './quantity.js';

describe('canonicalQuantity()', () => {
  it.each([
    ['0', '0'],
    ['0.0Gi', '0'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['100', '100'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1000e3', '1e6'],
    ['1E', '1E'],
    ['-10m', '-10m'],
    ['+1', '1'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['9999999999999999999999', '9223372036854775807'],
  ])('brings %s to %s', (given, want) => {
    expect(canonicalQuantity(given)).toBe(want);
  });

  it.each(['', 'x', '1x', '1 Gi', '--1', '1e', '1ki', '1e99999999', '.', 'Infinity'])(
    'refuses %j',
    (text) => {
      expect(() => canonicalQuantity(text)).toThrow('quantities must match');
    },
  );

  it('is stable and keeps the amount', () => {
    const suffix = fc.constantFrom('', 'm', 'u', 'n', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3');
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), suffix, (amount, unit) => {
        const quantity = parseQuantity(`${amount}${unit}`);
        const text = formatQuantity(quantity);
        expect(canonicalQuantity(text)).toBe(text);
        expect(compareQuantities(parseQuantity(text), quantity)).toBe(0);
      }),
    );
  });
});

describe('quantity arithmetic', () => {
  it('adds, subtracts and rounds up', () => {
    const sum = addQuantities(parseQuantity('1Gi'), parseQuantity('512Mi'));
    expect(formatQuantity(sum)).toBe('1536Mi');
    expect(formatQuantity(subQuantities(parseQuantity('1'), parseQuantity('300m')))).toBe('700m');
    expect(quantityValue(parseQuantity('1100m'))).toBe(2);
    expect(quantityMilliValue(parseQuantity('0.1'))).toBe(100);
  });
});
