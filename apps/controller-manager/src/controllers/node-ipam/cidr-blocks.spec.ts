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

  it('splits an IPv6 range', () => {
    const six = cidrBlocks('fd00:10:244::/56', 64);
    expect([six.family, six.count, six.block(1), six.block(255)]).toEqual([
      'IPv6',
      256,
      'fd00:10:244:1::/64',
      'fd00:10:244:ff::/64',
    ]);
    expect(six.indexOf('fd00:10:244:1::/64')).toBe(1);
    expect([six.indexOf('10.244.1.0/24'), six.indexOf('fd00:10:245::/64')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each(['fd00::/32', 'nonsense/8', '10.0.0.0/x'])('refuses %s', (range) => {
    expect(() => cidrBlocks(range, range.includes(':') ? 64 : 24)).toThrow(RangeError);
  });
});
