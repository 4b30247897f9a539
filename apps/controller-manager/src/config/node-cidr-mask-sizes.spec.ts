import { describe, expect, it } from '@jest/globals';
import { nodeCidrMaskSizes } from './node-cidr-mask-sizes.js';
import type { MaskFlags, MaskSizes } from './node-cidr-mask-sizes.js';

const V4 = '10.0.0.0/16';
const V6 = 'fd00::/48';

describe('nodeCidrMaskSizes()', () => {
  it.each<{ name: string; flags: MaskFlags; want: MaskSizes }>([
    { name: 'are 24 and 64', flags: { clusterCidr: `${V4},${V6}` }, want: { IPv4: 24, IPv6: 64 } },
    {
      name: 'are those of IPv4',
      flags: { clusterCidr: V4, nodeCidrMaskSize: 26 },
      want: { IPv4: 26, IPv6: 64 },
    },
    {
      name: 'are those of IPv6, where it is alone, also when they are small',
      flags: { clusterCidr: V6, nodeCidrMaskSize: 28 },
      want: { IPv4: 24, IPv6: 28 },
    },
    {
      name: 'are those of each family',
      flags: { clusterCidr: `${V6},${V4}`, nodeCidrMaskSizeIpv4: 25, nodeCidrMaskSizeIpv6: 80 },
      want: { IPv4: 25, IPv6: 80 },
    },
  ])('$name', ({ flags, want }) => {
    expect(nodeCidrMaskSizes(flags)).toEqual(want);
  });

  it.each<{ name: string; flags: MaskFlags; says: string }>([
    {
      name: 'one size for two families',
      flags: { clusterCidr: `${V4},${V6}`, nodeCidrMaskSize: 24 },
      says: 'usage of --node-cidr-mask-size is not allowed with dual-stack clusters',
    },
    {
      name: 'two sizes for one family',
      flags: { clusterCidr: V4, nodeCidrMaskSize: 24, nodeCidrMaskSizeIpv4: 24 },
      says: 'is not allowed if --node-cidr-mask-size is set',
    },
    {
      name: 'a size of IPv6 for IPv4',
      flags: { clusterCidr: V4, nodeCidrMaskSizeIpv6: 64 },
      says: '--node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster',
    },
    {
      name: 'a size of IPv4 for IPv6',
      flags: { clusterCidr: V6, nodeCidrMaskSizeIpv4: 24 },
      says: '--node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster',
    },
  ])('refuse $name', ({ flags, says }) => {
    expect(() => nodeCidrMaskSizes(flags)).toThrow(says);
  });
});
