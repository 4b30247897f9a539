import { describe, expect, it } from '@jest/globals';
import { expand } from './expand.js';

describe('expand()', () => {
  const lookup = (name: string): string | undefined => ({ A: '1', B: '$(A)' })[name];

  it.each([
    { name: 'a known variable', text: 'x-$(A)-y', want: 'x-1-y' },
    { name: 'an unknown variable', text: '$(NOPE)', want: '$(NOPE)' },
    { name: 'an escaped variable', text: '$$(A)', want: '$(A)' },
    { name: 'twice escaped', text: '$$$$(A)', want: '$$(A)' },
    { name: 'values are not expanded again', text: '$(B)', want: '$(A)' },
    { name: 'an open parenthesis', text: 'a$(A', want: 'a$(A' },
    { name: 'a dollar at the end', text: 'a$', want: 'a$' },
    { name: 'shell syntax', text: '${A} $A', want: '${A} $A' },
  ])('$name', ({ text, want }) => {
    expect(expand(text, lookup)).toBe(want);
  });
});
