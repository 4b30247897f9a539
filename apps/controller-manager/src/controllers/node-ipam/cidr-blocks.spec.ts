import { describe, expect, it } from '@jest/globals';
import { chooseBlock, cidrBlocks } from './cidr-blocks.js';

describe('chooseBlock()', () => {
  const blocks = cidrBlocks('127.9.64.0/18', 24);

  it.each([
    { name: 'the number in the name', node: 'k8s-02', used: [], want: '127.9.66.0/24' },
    {
      name: 'the second block for the first node',
      node: 'k8s-01',
      used: [],
      want: '127.9.65.0/24',
    },
    { name: 'the lowest free one else', node: 'k8s-02', used: [1, 2], want: '127.9.67.0/24' },
    { name: 'the lowest free one without a number', node: 'x', used: [1], want: '127.9.66.0/24' },
  ])('gives $name', ({ node, used, want }) => {
    const index = chooseBlock(blocks, new Set(used), node) ?? -1;
    expect(blocks.block(index)).toBe(want);
    expect(blocks.indexOf(want)).toBe(index);
  });

  it('gives none when all are used', () => {
    const used = new Set(Array.from({ length: 64 }, (_, i) => i));
    expect(chooseBlock(blocks, used, 'k8s-01')).toBeUndefined();
  });

  it('refuses a range that is smaller than a block', () => {
    expect(() => cidrBlocks('10.0.0.0/26', 24)).toThrow(RangeError);
  });
});
