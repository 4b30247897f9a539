import { describe, expect, it } from '@jest/globals';
import { formatFence, parseFence } from './fence.js';
import type { Fence } from './fence.js';

describe('parseFence()', () => {
  it.each<{ name: string; header: string; want: Fence | undefined }>([
    {
      name: 'reads a lease and its transitions',
      header: 'kube-system/kube-scheduler;transitions=7',
      want: { namespace: 'kube-system', name: 'kube-scheduler', transitions: 7 },
    },
    {
      name: 'reads the holder',
      header: 'a/b; transitions=0; holder=host%3B_1',
      want: { namespace: 'a', name: 'b', transitions: 0, holder: 'host;_1' },
    },
    { name: 'refuses a lease without transitions', header: 'a/b', want: undefined },
    { name: 'refuses a number that is none', header: 'a/b;transitions=-1', want: undefined },
    { name: 'refuses a lease without a namespace', header: 'b;transitions=1', want: undefined },
    { name: 'refuses further segments', header: 'a/b/c;transitions=1', want: undefined },
    { name: 'refuses what is not known', header: 'a/b;transitions=1;x=2', want: undefined },
    { name: 'refuses saying it twice', header: 'a/b;transitions=1;transitions=2', want: undefined },
    { name: 'refuses a broken escape', header: 'a/b;transitions=1;holder=%', want: undefined },
    { name: 'refuses paths', header: '../b;transitions=1', want: undefined },
    {
      name: 'refuses the endless',
      header: `a/b;transitions=1;holder=${'x'.repeat(1024)}`,
      want: undefined,
    },
  ])('$name', ({ header, want }) => {
    expect(parseFence(header)).toEqual(want);
  });

  it('reads what formatFence() writes', () => {
    const fence = { namespace: 'n', name: 'l', transitions: 3, holder: 'host_ö; x=1' };
    expect(parseFence(formatFence(fence))).toEqual(fence);
  });
});
