import { describe, expect, it } from '@jest/globals';
import { findKind } from '../../../kinds.js';

describe('a Secret', () => {
  it.each([
    { name: 'toString', type: 'toString' },
    { name: 'constructor', type: 'constructor' },
    { name: '__proto__', type: '__proto__' },
  ])('may be of a type named $name', ({ type }) => {
    const secret = { metadata: { name: 'x', namespace: 'default' }, type };
    const context = { now: '2024-01-01T00:00:00Z', warn: () => undefined };
    expect(findKind('', 'v1', 'secrets')?.strategy.validate?.(secret, context)).toEqual([]);
  });
});
